// What was made and must go again, in reverse order, whether a run ends by itself, by an error or by a signal.

export type Undo = () => Promise<unknown> | unknown;

export class CleanUp {
  #undos: Undo[] = [];
  #closed = false;
  /** Ends when nothing is being undone any more; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  /** After `close`, what is added is undone at once: whoever made it did not know yet. */
  async add(undo: Undo): Promise<void> {
    if (this.#closed) await undo();
    else this.#undos.push(undo);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Undoes everything so far, after what others are undoing; throws an AggregateError of what could not be undone. */
  run(): Promise<void> {
    const turn = this.#last.then(() => this.#undoAll());
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Undoes everything so far and from now on. */
  close(): Promise<void> {
    this.#closed = true;
    return this.run();
  }

  async #undoAll(): Promise<void> {
    const problems: unknown[] = [];
    for (let undo = this.#undos.pop(); undo !== undefined; undo = this.#undos.pop()) {
      try {
        await undo();
      } catch (error) {
        problems.push(error);
      }
    }
    if (problems.length > 0) throw new AggregateError(problems, 'not everything could be cleaned up');
  }
}
