import { HoneError } from '../errors.ts'
import type { Delta, Filled } from '../ports/engine.ts'

/**
 * Reads JSON to its end.
 *
 * @throws HoneError CANCELLED when the generation was aborted, ENGINE_FAILED when what came is no JSON. The text isn't
 * told, since it may hold what people wrote.
 */
export async function filled(deltas: AsyncIterable<Delta>): Promise<Filled> {
  let json = ''
  for await (const delta of deltas) {
    if (delta.kind === 'text') json += delta.text
    else if (delta.reason === 'aborted') throw new HoneError('CANCELLED', 'Filling in the form was stopped.')
    else return { value: parse(json, delta.reason), usage: delta.usage }
  }
  throw new HoneError('ENGINE_FAILED', 'The model broke off in the middle of a form.')
}

function parse(json: string, reason: 'stop' | 'length'): unknown {
  try {
    return JSON.parse(json)
  } catch {
    const why = reason === 'length' ? 'did not come to the end of the form' : 'filled in the form with what is no JSON'
    throw new HoneError('ENGINE_FAILED', `The model ${why}.`)
  }
}
