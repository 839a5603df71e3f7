/** JSON as the sources write it: integers beyond 2^53 (bigint here) digit by digit. */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    // A bigint: the slow way, for the few that have one.
    return JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? raw(field) : field))
  }
}

// Not yet in TypeScript's library; in Node since version 21.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object }
const raw = (integer: bigint) => rawJSON(String(integer))
