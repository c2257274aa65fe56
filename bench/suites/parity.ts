import { lockFile, preparePython, venvFolder } from '../../training/python-env.ts'
import { measureParity, repliesToScore } from '../parity.ts'
import { atLeast, atMost, figure, type Result } from '../result.ts'

const replies = 50

/**
 * Nats a token. Hugging Face computes in float32. llama.cpp rounds activations to F16 where weights are F16, and keeps
 * keys and values in F16: a relative error of up to 2⁻¹¹ each, which on logits of ±20 comes to about 0.01. The same
 * input scored twice differs by as much, and so does the base without any LoRA (`parity.base` of the same run): the
 * LoRA, float32 on both sides, may add nothing to that.
 */
export const tolerance = 0.02

/** The wrong converter must be caught by a wide margin, or the tolerance proves nothing. */
export const caught = 5 * tolerance

/** Do Hugging Face with PEFT and llama.cpp with our GGUF LoRA say the same of the same replies? */
export async function run(say: (text: string) => void): Promise<readonly Result[]> {
  const python = await preparePython({ venv: await venvFolder('.hone'), requirements: lockFile }, say)
  say(`${replies} replies under Hugging Face and PEFT, then under llama.cpp`)
  const { otherTokens, base, lora, wrong, quantised, quantisedWrong, effect } = await measureParity(
    await repliesToScore(replies),
    python,
  )
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  return [
    atMost('parity.token-counts-differ', otherTokens, 0, 'replies'),
    atMost('parity.lora', Math.max(...lora), tolerance, 'nat/token', lora),
    figure('parity.lora-mean', mean(lora), 'nat/token'),
    atMost('parity.base', Math.max(...base), tolerance, 'nat/token', base),
    atLeast('parity.lora-effect', mean(effect), 0.1, 'nat/token', 'how far the LoRA moves the replies'),
    figure('parity.quantised-mean', mean(quantised), 'nat/token', 'the base in eight bits a weight'),
    figure('parity.quantised-unpermuted-mean', mean(quantisedWrong), 'nat/token', 'the control on that base'),
    atLeast('parity.unpermuted', Math.max(...wrong), caught, 'nat/token', 'the control: q and k rows not permuted'),
  ]
}
