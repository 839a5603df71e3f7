import type { SchemaSource } from '../model/input.ts'

/** Schemas of a registry by id, each asked for once. */
export function schemasFrom(url: string): SchemaSource {
  const known = new Map<number, Promise<unknown>>()
  const ask = async (id: number): Promise<unknown> => {
    const response = await fetch(`${url}/schemas/ids/${id}`)
    if (response.status === 404) return undefined
    if (!response.ok) throw new Error(`The registry answers ${response.status} for schema ${id}`)
    const { schema } = (await response.json()) as { schema: string }
    return JSON.parse(schema)
  }
  return (id) => {
    const asked = known.get(id) ?? ask(id)
    known.set(id, asked)
    return asked
  }
}
