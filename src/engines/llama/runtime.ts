import { availableParallelism } from 'node:os'
import {
  getLlama,
  InsufficientMemoryError,
  type Llama,
  type LlamaContext,
  type LlamaEmbeddingContext,
  type LlamaGrammar,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type LlamaModel,
  NoBinaryFoundError,
  type Token,
} from 'node-llama-cpp'
import { asHoneError, HoneError } from '../../errors.ts'
import type { JsonSchema } from '../../ports/engine.ts'
import { checkLora, checkModel } from './check.ts'
import type { Calls, ModelFacts, OpenOptions } from './protocol.ts'
import { createPrompter, type Prompter } from './template.ts'

/** A loaded model, in the child. */
export interface Runtime {
  readonly facts: ModelFacts
  readonly model: LlamaModel
  readonly prompter: Prompter
  open(options: OpenOptions): Promise<LlamaContext>
  embedder(): Promise<LlamaEmbeddingContext>
  /** What holds one generation to a schema. */
  grammar(schema: JsonSchema): Promise<LlamaGrammarEvaluationState>
}

type Say = (level: 'debug' | 'warn', message: string) => void

const defaultContextTokens = 8192
/** Profiles and tools have few schemas, and each is used every turn. */
const mostGrammars = 100
/** Most tokens of a text that is embedded. */
export const embedTokens = 2048
// llama.cpp's threads wait for each other by spinning at every operation. Below this many bytes of weights that costs
// more than a second thread saves; with a busy second core it costs a hundredfold (0.16 s against 17 s, 200 tokens).
const bytesPerThread = 100_000_000

/**
 * Loads llama.cpp and a model.
 *
 * @throws HoneError ENGINE_MISSING without a llama.cpp that runs here, MODEL_FILE for a file that can't be used
 */
export async function startRuntime(options: Calls['start']['in'], say: Say): Promise<Runtime> {
  await checkModel(options.model)
  let complaint = ''
  const llama = await loadLlama(options, (level, message) => {
    if (level === 'warn') complaint = message.trim()
    say(level, message)
  })
  const model = await llama
    .loadModel({ modelPath: options.model })
    .catch((error: unknown) => Promise.reject(modelError(error, options.model, complaint)))
  llama.maxThreads = options.threads || threadsFor(model, llama)
  let embedder: Promise<LlamaEmbeddingContext> | undefined
  const grammars = new Map<string, Promise<LlamaGrammar>>()
  return {
    model,
    facts: {
      trainedTokens: model.trainContextSize,
      embeds: isEmbedder(model),
      device: llama.gpu === false ? 'cpu' : llama.gpu,
    },
    prompter: prompterFor(model),
    open: (wanted) => open(model, wanted),
    embedder() {
      const contextSize = Math.min(embedTokens, model.trainContextSize)
      // An encoder sees a text at once, so a batch must hold all of it.
      embedder ??= model.createEmbeddingContext({ contextSize, batchSize: contextSize })
      return embedder
    },
    async grammar(schema) {
      const key = JSON.stringify(schema)
      const known = grammars.get(key) ?? grammarOf(llama, schema)
      if (grammars.size >= mostGrammars) grammars.clear()
      grammars.set(key, known)
      const grammar = await known.catch((error: unknown) =>
        Promise.reject(asHoneError(error, 'INPUT', 'llama.cpp can’t make a grammar of this schema')),
      )
      return new LlamaGrammarEvaluationState({ model, grammar })
    },
  }
}

/**
 * node-llama-cpp's grammar of a schema, without three things that it lets through: exponents and digits beyond what a
 * number holds exactly, and blank lines after the end.
 */
async function grammarOf(llama: Llama, schema: JsonSchema): Promise<LlamaGrammar> {
  const { grammar } = await llama.createGrammarForJsonSchema(schema as { readonly type: 'object' })
  const exact = grammar
    .replaceAll(' ([eE] [-+]? ("0" | [1-9] [0-9]{0,15}))?', '')
    .replaceAll('[1-9] [0-9]{0,15}', '[1-9] [0-9]{0,14}')
  return llama.createGrammar({ grammar: exact.replace(/ "(?:\\n)+" \[\\n\]\*$/m, '') })
}

async function loadLlama({ gpu, threads }: Calls['start']['in'], say: Say): Promise<Llama> {
  try {
    return await getLlama({
      gpu: gpu ? 'auto' : false,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      maxThreads: threads || availableParallelism(),
      logLevel: LlamaLogLevel.warn,
      logger: (level, message) => say(level === 'warn' ? 'debug' : 'warn', message),
    })
  } catch (error) {
    const what = error instanceof NoBinaryFoundError ? 'node-llama-cpp has no build for this machine' : 'node-llama-cpp'
    throw asHoneError(error, 'ENGINE_MISSING', what)
  }
}

function threadsFor(model: LlamaModel, llama: Llama): number {
  const cores = Math.min(availableParallelism(), llama.cpuMathCores)
  return Math.max(1, Math.min(cores, Math.ceil(model.size / bytesPerThread)))
}

function modelError(error: unknown, path: string, complaint: string): HoneError {
  if (error instanceof InsufficientMemoryError) {
    return new HoneError('ENGINE_FAILED', `There is not enough free memory to load ${path}.`, { cause: error })
  }
  return new HoneError('MODEL_FILE', `llama.cpp can’t load ${path}: ${complaint || String(error)}`, { cause: error })
}

function isEmbedder(model: LlamaModel): boolean {
  const { architecture } = model.fileInfo.metadata.general
  const pooling = (model.fileInfo.architectureMetadata as { pooling_type?: number }).pooling_type
  return (pooling !== undefined && pooling !== 0) || /bert|embed/.test(architecture)
}

async function open(model: LlamaModel, { lora, contextTokens, parallel }: OpenOptions): Promise<LlamaContext> {
  if (lora) await checkLora(lora, model.fileInfo)
  const most = Math.min(model.trainContextSize, defaultContextTokens)
  try {
    return await model.createContext({
      sequences: parallel,
      contextSize: contextTokens || { max: most, min: Math.min(most, 1024) },
      ...(lora && { lora: lora.path }),
    })
  } catch (error) {
    if (!(error instanceof InsufficientMemoryError)) {
      throw asHoneError(error, lora ? 'LORA_MISMATCH' : 'ENGINE_FAILED', 'llama.cpp can’t make a context')
    }
    const message = 'There is not enough free memory for the context. Lower HONE_CONTEXT or HONE_PARALLEL.'
    throw new HoneError('ENGINE_FAILED', message, { cause: error })
  }
}

function prompterFor(model: LlamaModel): Prompter {
  const { tokens = [], model: kind } = model.fileInfo.metadata.tokenizer?.ggml ?? {}
  const template = model.fileInfo.metadata.tokenizer?.chat_template
  const specials = new Set<string>()
  for (const token of model.iterateAllTokens()) {
    const text = tokens[token] ?? ''
    const { control, unknown, userDefined } = model.getTokenAttributes(token)
    // A user-defined token is a word of its own (a tag, a run of blanks) unless the template uses it as a mark.
    if (control || unknown || (userDefined && text.trim() !== '' && template?.includes(text))) specials.add(text)
  }
  specials.delete('')
  return createPrompter({
    template,
    bos: model.tokens.bosString ?? '',
    eos: model.tokens.eosString ?? '',
    specials,
    // Only SentencePiece (`llama`) adds a space where a text begins.
    tokenize: (text, trim) => model.tokenize(text, true, trim && kind === 'llama' ? 'trimLeadingSpace' : undefined),
  })
}

/** Tokens as node-llama-cpp's branded type. */
export function branded(tokens: readonly number[]): Token[] {
  return tokens as unknown as Token[]
}
