// Passwords as the user gives them -> Secret. Files and variables are read here; nothing of a value ever reaches an
// issue, not even its length.

import { Buffer } from 'node:buffer';
import type { z } from 'zod';
import { reasonOf } from './file-issue.ts';
import type { IssueList } from './issues.ts';
import { Secret } from './model.ts';
import { type Environment, formatPath, type Path } from './nodes.ts';
import { LONGEST_PASSWORD, type passwordSchema } from './schema-password.ts';

/** Reads a whole text file; throws as node:fs does. */
export type ReadFile = (path: string) => string;

export class SecretReader {
  readonly #env: Environment;
  readonly #readFile: ReadFile;
  readonly #locate: (path: string) => string;
  readonly #issues: IssueList;
  readonly #files = new Set<string>();
  /** A group's password is read and complained about once. */
  readonly #byPath = new Map<string, Secret | undefined>();

  /** `locate` makes a path absolute, seen from the configuration file. */
  constructor(env: Environment, readFile: ReadFile, locate: (path: string) => string, issues: IssueList) {
    this.#env = env;
    this.#readFile = readFile;
    this.#locate = locate;
    this.#issues = issues;
  }

  /** Files that were read, or should have been. */
  get files(): readonly string[] {
    return [...this.#files];
  }

  /** A path as it is opened. */
  locate(path: string): string {
    return this.#locate(path);
  }

  /** The password that stands at `path`; undefined where there is none, or it is wrong, which is reported. */
  read(input: z.infer<typeof passwordSchema> | undefined, path: Path): Secret | undefined {
    if (input === undefined || input === false) return undefined;
    const key = formatPath(path);
    if (!this.#byPath.has(key)) this.#byPath.set(key, this.#resolve(input, path));
    return this.#byPath.get(key);
  }

  #resolve(input: Exclude<z.infer<typeof passwordSchema>, false>, path: Path): Secret | undefined {
    if (typeof input === 'string') return this.#checked(input, path);
    const given = Object.keys(input);
    if (given.length !== 1) {
      const message =
        given.length === 0
          ? 'the password is missing'
          : `a password comes from one place, not from ${given.join(' and ')}`;
      this.#issues.error(path, message, 'use one of file, env and value');
      return undefined;
    }
    if (input.value !== undefined) return this.#checked(input.value, [...path, 'value']);
    if (input.env !== undefined) {
      const value = Object.hasOwn(this.#env, input.env) ? this.#env[input.env] : undefined;
      if (value !== undefined) return this.#checked(value, [...path, 'env']);
      this.#issues.error(
        [...path, 'env'],
        `the environment variable ${input.env} is not set`,
        'set it, or use file',
      );
      return undefined;
    }
    return input.file === undefined ? undefined : this.#fromFile(input.file, [...path, 'file']);
  }

  #fromFile(file: string, path: Path): Secret | undefined {
    const located = this.#locate(file);
    this.#files.add(located);
    let content: string;
    try {
      content = this.#readFile(located);
    } catch (error) {
      this.#issues.error(path, `the password file ${located} cannot be read: ${reasonOf(error)}`, FILE_HINT);
      return undefined;
    }
    return this.#checked(content.replace(/\r?\n$/, ''), path);
  }

  #checked(value: string, path: Path): Secret | undefined {
    if (value === '') {
      this.#issues.error(
        path,
        'the password is empty',
        'take the key out for no password, or false over a group',
      );
      return undefined;
    }
    if (Buffer.byteLength(value) > LONGEST_PASSWORD || value.includes('\0')) {
      this.#issues.error(
        path,
        'the password cannot be a key',
        `up to ${LONGEST_PASSWORD} octets, none of them zero`,
      );
      return undefined;
    }
    return new Secret(value);
  }
}

const FILE_HINT = 'a relative path counts from the folder of the configuration file';
