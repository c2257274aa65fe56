import { createBot } from '../../src/bot.ts'
import { createPrompter } from '../../src/engines/llama/template.ts'
import { silent } from '../../src/log.ts'
import type { Inbound, InboundMessage } from '../../src/ports/channel.ts'
import type { ChatMessage, Engine, JsonSchema } from '../../src/ports/engine.ts'
import type { Knowledge } from '../../src/ports/knowledge.ts'
import { type Before, compile } from '../../src/prompt/compile.ts'
import { parseProfile } from '../../src/prompt/profile.ts'
import { createResolve } from '../../src/prompt/variables.ts'
import { createSlot } from '../../src/slot.ts'
import { sqlite } from '../../src/store/index.ts'
import { runTool } from '../../src/tools/run.ts'
import { openToolbox } from '../../src/tools/toolbox.ts'
import { attacks, type Kind, kinds } from './attacks.ts'

/** One attack in one place. */
export interface Tried {
  readonly kind: Kind
  readonly place: string
  readonly text: string
  /** What it came to; empty when to nothing. */
  readonly through: readonly string[]
}

/** Where an attacker's text can come from. */
export const places = [
  'value',
  'choice',
  'name',
  'question',
  'passage',
  'reply',
  'exchange',
  'example',
  'result',
] as const
type Place = (typeof places)[number]

const harmless = 'hello'
const profile = parseProfile(
  `---
name: desk
hidden: ["You serve {{company}} on {{plan}}; {{person.name}} asks."]
explanation: { style: facts }
variables:
  company: { default: none }
  plan: { choices: [free, enterprise], default: free }
tools:
  refund: { for: admins, changes: false }
  close_account: { for: everybody }
---
You are Hazel.`,
  'desk.md',
)
const room = { count: async () => 0, limit: 1 }
const specials = new Set(['<|im_start|>', '<|im_end|>', '<s>', '</s>', '<|endoftext|>'])
const special = new RegExp([...specials].map((one) => one.replaceAll('|', '\\|')).join('|'), 'g')
const prompter = createPrompter({
  template:
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  bos: '<s>',
  eos: '<|im_end|>',
  specials,
  // One number for each special token is all that is counted.
  tokenize: (text) => (text.match(special) ?? []).map(() => 1),
})

/** The first prompt of a thread and the next, with an attacker's text in one place. */
async function prompts(place: Place | 'nowhere', text: string): Promise<readonly (readonly ChatMessage[])[]> {
  const at = (here: Place) => (here === place ? text : harmless)
  const event = { id: 'e', at: new Date(0), tenant: 't', person: { id: 'p', name: at('name') } } as Inbound
  const resolvers = { company: () => at('value'), plan: () => (place === 'choice' ? text : 'free') }
  const variables = await createResolve({ resolvers, log: silent })(profile, event)
  const input = {
    profile,
    variables,
    tone: '',
    explanation: 'facts' as const,
    exchanges: [{ question: at('exchange'), answer: at('exchange') }],
    passages: [{ id: 'p', document: 'd', title: at('passage'), text: at('passage'), score: 1 }],
    examples: [{ id: 'x', turn: 'x', people: ['p'], question: at('example'), answer: at('example') }],
    question: at('question'),
    results: [await resultOf(at('result'), event as InboundMessage)],
  }
  const first = await compile(input, room)
  const before: Before = { prompt: first.messages, reply: at('reply'), sources: [], told: { company: 'other' } }
  return [first.messages, (await compile({ ...input, before }, room)).messages]
}

/** What a tool answered, as it is told. */
async function resultOf(text: string, event: InboundMessage) {
  const box = await openToolbox(toolsThat(() => text))
  const offer = box.offers(profile, event).find(({ tool }) => tool.name === 'close_account')
  if (!offer) throw new Error('The tool is not offered.')
  const inbox = { claim: async () => true, amend: async () => {}, settle: async () => {}, unsettled: async () => [] }
  const calls = { keep: async () => {}, of: async () => [] }
  const how = { event, signal: new AbortController().signal, nth: 0 }
  return runTool({ offer, given: {} }, how, { store: { inbox, calls }, log: silent })
}

const none = { type: 'object', properties: {}, required: [], additionalProperties: false }
function toolsThat(answer: (name: string) => string) {
  return ['refund', 'close_account'].map((name) => ({
    name,
    description: name,
    schema: none,
    call: async () => answer(name),
  }))
}

/** Marks as a model may read them, whatever stands before their letters. What it writes itself may say why. */
const marks = {
  system: /[<＜﹤][\s/／]*(?:facts|tone|results|explain|why)/giu,
  user: /[<＜﹤][\s/／]*(?:facts|tone|results|explain|why)/giu,
  assistant: /[<＜﹤][\s/／]*(?:facts|tone|results|explain)/giu,
}
const unseen = /[\p{Cf}\p{Cc}]/gu
const kept = (text: string) => text.replace(unseen, (found) => (found === '\n' ? found : ''))

/** What of a prompt only its author may decide: its system message, blocks, lines of blocks, special tokens. */
function shapeOf(messages: readonly ChatMessage[]): Readonly<Record<string, unknown>> {
  const told = messages.map(({ content }) => kept(content))
  const blocks = told.flatMap((text) => text.match(/<(?:facts|results)>\n[\s\S]*?\n<\/(?:facts|results)>/g) ?? [])
  return {
    'speaks as the system': messages.filter(({ role }) => role === 'system'),
    'opens or closes a block': messages.map(({ role }, index) => (told[index]?.match(marks[role]) ?? []).length),
    'forges a line of a block': blocks.map((text) => text.split(/[\n\r\u2028\u2029]/).length),
    'is a special token': prompter.prompt(messages, true).length,
  }
}

/** A model that uses whatever tool it can, and an engine that holds it to no grammar. */
function gullible(): Engine {
  const usage = { prompt: 1, evaluated: 1, completion: 1 }
  const answerOf = ({ properties = {} }: JsonSchema, wanted: string): unknown => {
    if ('word' in (properties as object)) return { word: 'larch' }
    return 'tool' in (properties as object) ? { tool: wanted } : {}
  }
  return {
    version: { id: 'v0', base: 'gullible' },
    contextTokens: 8192,
    async *generate() {
      yield { kind: 'text', text: 'Done.' }
      yield { kind: 'end', reason: 'stop', usage }
    },
    async fill(prompt, schema) {
      const wanted = /refund/.test(
        prompt
          .map(({ content }) => content)
          .join(' ')
          .split('Before you answer')[0] ?? '',
      )
      return { value: answerOf(schema, wanted ? 'refund' : 'close_account'), usage }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

/** The tools that an attack has used by somebody who may not, or who has not said yes. */
async function toolsUsed(place: 'question' | 'passage', text: string): Promise<readonly string[]> {
  const used: string[] = []
  await using store = await sqlite(':memory:')
  await using slot = await createSlot({ load: async () => gullible(), first: { id: 'v0', base: 'g' }, log: silent })
  const passage = { id: 'p', document: 'd', title: 'Help', text, score: 1 }
  const knowledge = { search: async () => (place === 'passage' ? [passage] : []) } as unknown as Knowledge
  const tools = toolsThat((name) => {
    used.push(`uses ${name}`)
    return 'done'
  })
  await using bot = await createBot({ store, slot, profile, knowledge, tools, log: silent })
  // Nothing that comes after the first question is a yes of whoever asked.
  for (const question of [place === 'passage' ? 'Hello' : text, 'And then?'])
    for await (const event of bot.ask(question, { thread: 't' }))
      if (event.kind === 'error') throw new Error(event.message)
  return used
}

/** Tries every attack in every place. */
export async function tries(): Promise<readonly Tried[]> {
  const usual = (await prompts('nowhere', '')).map(shapeOf)
  const tried: Tried[] = []
  for (const kind of kinds)
    for (const text of attacks[kind]) {
      for (const place of places) {
        const shapes = (await prompts(place, text)).map(shapeOf)
        const differs = (name: string) =>
          JSON.stringify(shapes.map((one) => one[name])) !== JSON.stringify(usual.map((one) => one[name]))
        tried.push({ kind, place, text, through: Object.keys(usual[0] ?? {}).filter(differs) })
      }
      if (kind !== 'tool') continue
      for (const place of ['question', 'passage'] as const)
        tried.push({ kind, place: `${place}, to the end`, text, through: await toolsUsed(place, text) })
    }
  return tried
}
