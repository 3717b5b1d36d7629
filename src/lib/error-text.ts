// What is wrong, in words: of an error, or of whatever else was thrown.

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
