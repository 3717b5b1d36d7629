// A page at a time: output stops where the screen is full and goes on at a key; `q` throws the rest away. Lines that are
// longer than the screen is wide count as what they take.

const MORE = '--More--';
const ERASE = '\r\u001b[K';
const FALLBACK_ROWS = 24;
const FALLBACK_COLUMNS = 80;

export interface PagerInput {
  /** Keys come one by one instead of lines. */
  setRawMode?(on: boolean): unknown;
  once(event: 'data', listener: (data: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface PagerOutput {
  readonly rows?: number;
  readonly columns?: number;
  write(text: string): unknown;
}

export class Pager {
  readonly #input: PagerInput;
  readonly #output: PagerOutput;
  #shown = 0;
  #left = false;

  constructor(input: PagerInput, output: PagerOutput) {
    this.#input = input;
    this.#output = output;
  }

  /** The next output is another command's. */
  begin(): void {
    this.#shown = 0;
    this.#left = false;
  }

  /** Writes whole lines; resolves when they were seen. */
  async write(text: string): Promise<void> {
    for (const line of text.replace(/\n$/, '').split('\n')) {
      if (this.#left) return;
      const { rows = FALLBACK_ROWS, columns = FALLBACK_COLUMNS } = this.#output;
      const height = Math.max(1, Math.ceil(line.length / columns));
      if (this.#shown + height >= rows) await this.#ask(rows);
      if (this.#left) return;
      this.#output.write(`${line}\n`);
      this.#shown += height;
    }
  }

  /** Space shows another screen, Enter another line, q nothing more. */
  async #ask(rows: number): Promise<void> {
    this.#output.write(MORE);
    const key = await new Promise<string>((resolve) => {
      this.#input.once('data', (data) => resolve(data.toString()));
      this.#input.setRawMode?.(true);
      this.#input.resume();
    });
    this.#input.pause();
    this.#input.setRawMode?.(false);
    this.#output.write(ERASE);
    if (key === 'q' || key === '\u0003') this.#left = true;
    this.#shown = key === '\r' || key === '\n' ? rows - 2 : 0;
  }
}
