import { settingsOf } from '../family.ts'
import type { Result } from '../result.ts'
import { reading } from './starter.ts'

/** Makes the second small family where it isn't there yet, and asks it what the starter model is asked. */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  return reading('qwen3', await settingsOf('qwen3', say), say)
}
