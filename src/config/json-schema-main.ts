// Writes the JSON Schema to the path given, or to the standard output: how schema/godwit.schema.json is made.

import { writeFileSync } from 'node:fs';
import { jsonSchemaText } from './json-schema.ts';

const [path] = process.argv.slice(2);
if (path === undefined) process.stdout.write(jsonSchemaText());
else writeFileSync(path, jsonSchemaText());
