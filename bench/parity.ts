import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot, starterDir } from '../src/cli/model.ts'
import { childEnvironment } from '../src/config.ts'
import { llama } from '../src/engines/llama/index.ts'
import { silent } from '../src/log.ts'
import type { ChatMessage, Engine, LoraRef } from '../src/ports/engine.ts'
import { sha256File } from '../training/hash.ts'
import { handbooks } from './lab.ts'

/** A reply that both sides score. */
export interface Scored {
  readonly prompt: readonly ChatMessage[]
  readonly reply: string
}

/** What the two sides say of the same replies; differences are per token, in nats. */
export interface Parity {
  /** Replies that the two sides cut into different numbers of tokens. */
  readonly otherTokens: number
  /** Without any LoRA: what the engine's own arithmetic costs. */
  readonly base: readonly number[]
  readonly lora: readonly number[]
  /** With a LoRA whose q and k rows stand in the other order: what a wrong converter looks like. */
  readonly wrong: readonly number[]
  /** The same two on the base with matrices of eight bits, as people serve models. */
  readonly quantised: readonly number[]
  readonly quantisedWrong: readonly number[]
  /** How far the LoRA moves the replies: agreement about a LoRA that does nothing would prove nothing. */
  readonly effect: readonly number[]
}

interface Reference {
  readonly tokens: number
  readonly base: number
  readonly lora: number
}

const run = promisify(execFile)
const trainer = join(packageRoot, 'training', 'python')

/** Answers of the generated handbooks after the page they stand on, spread evenly over all questions. */
export async function repliesToScore(count: number): Promise<readonly Scored[]> {
  const all: Scored[] = []
  for (const { folder, questions } of await handbooks()) {
    for (const { question, answer, page } of questions) {
      const passage = page ? `[1] ${await readFile(join(folder, page), 'utf8')}\n\n` : ''
      const reply = answer === null ? 'I don’t know; the handbook does not say.' : `${answer} [1].`
      const prompt: ChatMessage[] = [
        { role: 'system', content: 'You are Hazel. Answer from the passages and cite them.' },
        // A page may be longer than the window of a small model.
        { role: 'user', content: `${passage.slice(0, 700)}${question}` },
      ]
      all.push({ prompt, reply })
    }
  }
  return Array.from({ length: count }, (_, n) => all[Math.floor((n * all.length) / count)] as Scored)
}

/** A base model in both forms. */
export interface BothForms {
  /** Its Hugging Face folder. */
  readonly folder: string
  readonly gguf: string
}

const starter: BothForms = { folder: starterDir, gguf: join(starterDir, 'starter.gguf') }

/**
 * Scores the replies on a model, the starter model unless another is named, with a random LoRA, under Hugging Face with
 * PEFT and under llama.cpp.
 *
 * @param python Python of the training environment
 */
export async function measureParity(
  replies: readonly Scored[],
  python: string,
  { folder, gguf: modelPath }: BothForms = starter,
): Promise<Parity> {
  const dir = await mkdtemp(join(tmpdir(), 'hone-parity-'))
  try {
    const reference = await underPeft(replies, dir, { python, folder })
    const eightBits = join(dir, 'q8_0.gguf')
    await run(python, [join(trainer, 'base_gguf.py'), folder, eightBits, '--matrices', 'Q8_0'])
    await using host = llama({ modelPath, log: silent, gpu: false })
    await using coarse = llama({ modelPath: eightBits, log: silent, gpu: false })
    const scores = async (name?: string, [on, path] = [host, modelPath] as const) => {
      const lora = name === undefined ? {} : { lora: await loraOf(join(dir, name)) }
      await using engine = await on.load({ id: name ?? 'v0', base: path, ...lora })
      return await scoreAll(engine, replies)
    }
    const [base, lora, wrong] = [await scores(), await scores('lora.gguf'), await scores('wrong.gguf')]
    const quantised = await scores('lora.gguf', [coarse, eightBits])
    const quantisedWrong = await scores('wrong.gguf', [coarse, eightBits])
    const apart = (found: readonly Found[], wanted: (of: Reference) => number) =>
      reference.map((of, n) => Math.abs((found[n]?.logProbability ?? Number.NaN) - wanted(of)) / of.tokens)
    return {
      otherTokens: reference.filter(({ tokens }, n) => base[n]?.tokens !== tokens).length,
      base: apart(base, (of) => of.base),
      lora: apart(lora, (of) => of.lora),
      wrong: apart(wrong, (of) => of.lora),
      quantised: apart(quantised, (of) => of.lora),
      quantisedWrong: apart(quantisedWrong, (of) => of.lora),
      effect: reference.map((of) => Math.abs(of.lora - of.base) / of.tokens),
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function underPeft(
  replies: readonly Scored[],
  dir: string,
  { python, folder }: { readonly python: string; readonly folder: string },
): Promise<readonly Reference[]> {
  const file = join(dir, 'replies.jsonl')
  await writeFile(file, replies.map((reply) => `${JSON.stringify(reply)}\n`).join(''))
  const env = childEnvironment({ HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' })
  const { stdout } = await run(python, [join(trainer, 'parity.py'), folder, file, dir], { env })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Reference)
}

async function loraOf(path: string): Promise<LoraRef> {
  return { id: path, path, sha256: await sha256File(path) }
}

type Found = Awaited<ReturnType<NonNullable<Engine['score']>>>

async function scoreAll(engine: Engine, replies: readonly Scored[]): Promise<readonly Found[]> {
  if (!engine.score) throw new Error('The engine cannot score.')
  const found: Found[] = []
  for (const { prompt, reply } of replies) found.push(await engine.score(prompt, reply))
  return found
}
