import { z } from 'zod'
import type { TrainEvent } from '../src/ports/trainer.ts'

const events = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), device: z.string(), versions: z.record(z.string(), z.string()) }),
  z.object({ type: z.literal('stage'), stage: z.string(), state: z.enum(['start', 'done']) }),
  z.object({
    type: z.literal('step'),
    step: z.number(),
    of: z.number(),
    loss: z.number(),
    margin: z.number().exactOptional(),
    accuracy: z.number().exactOptional(),
    reward: z.number().exactOptional(),
    kl: z.number().exactOptional(),
    tokensPerSecond: z.number().exactOptional(),
    etaSeconds: z.number().exactOptional(),
    memoryMb: z.number().exactOptional(),
  }),
  z.object({
    type: z.literal('done'),
    peft: z.string().exactOptional(),
    model: z.string().exactOptional(),
    gguf: z.string().exactOptional(),
    sha256: z.string(),
    templateSha256: z.string(),
  }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string() }),
])

/**
 * One line of the trainer's stdout. Undefined for a type we don't know (the trainer may be newer) and for anything
 * that is no event.
 *
 * @example parseEvent('{"type":"stage","stage":"train","state":"start"}')
 */
export function parseEvent(line: string): TrainEvent | undefined {
  try {
    const parsed = events.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
