import { stringify } from 'yaml'
import type { ChatMessage } from '../src/ports/engine.ts'
import { type FeedbackRow, toRows } from './formats.ts'

/** Other trainers that an export can be made for: a folder of files instead of one file of rows. */
export const toolkits = ['llama-factory', 'axolotl'] as const
export type Toolkit = (typeof toolkits)[number]

/** Files of a folder, by name. */
export type Files = Readonly<Record<string, string>>

/**
 * The rows as another trainer's own loader takes them, with the file that tells it how.
 *
 * - `llama-factory`: rows with ShareGPT's tags and `dataset_info.json`, to be used as `dataset_dir`. Source:
 *   https://github.com/hiyouga/LLaMA-Factory, data/README.md.
 * - `axolotl`: rows for `chat_template.default` and `axolotl.yaml`, to be started in the folder. Source:
 *   https://docs.axolotl.ai/docs/rlhf.html.
 *
 * Kinds of rows that there are none of have no file, for both loaders fail on an empty one.
 *
 * @param model folder of the base model, for `axolotl.yaml`
 * @example toolkitFiles('llama-factory', rows, 'models/base')['dataset_info.json']
 */
export function toolkitFiles(toolkit: Toolkit, rows: readonly FeedbackRow[], model: string): Files {
  return toolkit === 'llama-factory' ? llamaFactory(rows) : axolotl(rows, model)
}

const shareGptTags = {
  role_tag: 'from',
  content_tag: 'value',
  user_tag: 'human',
  assistant_tag: 'gpt',
  system_tag: 'system',
} as const
const speakers = { user: 'human', assistant: 'gpt', system: 'system' } as const

function llamaFactory(rows: readonly FeedbackRow[]): Files {
  const said = ({ role, content }: ChatMessage) => ({ from: speakers[role], value: content })
  const files = {
    dpo: trl<Preference>(rows, 'dpo').map(({ prompt, chosen, rejected }) => ({
      conversations: alternating(prompt).map(said),
      chosen: said(chosen[0]),
      rejected: said(rejected[0]),
    })),
    kto: trl<Rated>(rows, 'kto').map(({ prompt, completion, label }) => ({
      conversations: [...alternating(prompt), completion[0]].map(said),
      kto_tag: label,
    })),
    sft: trl<Example>(rows, 'sft').map(({ prompt, completion }) => ({
      conversations: [...alternating(prompt), completion[0]].map(said),
    })),
  }
  const info = (columns: object, more: object = {}) => ({
    formatting: 'sharegpt',
    ...more,
    columns: { messages: 'conversations', ...columns },
    tags: shareGptTags,
  })
  const described = {
    dpo: info({ chosen: 'chosen', rejected: 'rejected' }, { ranking: true }),
    kto: info({ kto_tag: 'kto_tag' }),
    sft: info({}),
  }
  const kinds = (['dpo', 'kto', 'sft'] as const).filter((kind) => files[kind].length > 0)
  const entries = kinds.map((kind) => [`hone_${kind}`, { file_name: `hone_${kind}.jsonl`, ...described[kind] }])
  return {
    ...Object.fromEntries(kinds.map((kind) => [`hone_${kind}.jsonl`, jsonLines(files[kind])])),
    'dataset_info.json': `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`,
  }
}

function axolotl(rows: readonly FeedbackRow[], model: string): Files {
  const pairs = trl<Preference>(rows, 'dpo').map(({ prompt, chosen, rejected }) => ({
    messages: prompt,
    chosen: chosen[0],
    rejected: rejected[0],
  }))
  const files = pairs.length > 0 ? { 'hone_dpo.jsonl': jsonLines(pairs) } : {}
  return { ...files, 'axolotl.yaml': `${axolotlHead}${stringify(axolotlConfig(model))}` }
}

const axolotlHead = '# In this folder: axolotl train axolotl.yaml\n'

/** DPO with a LoRA and an SFT term, like our own runs. The numbers are a starting point for a model of some billions. */
function axolotlConfig(model: string): object {
  return {
    base_model: model || 'PATH_OF_THE_BASE_MODEL',
    rl: 'dpo',
    rl_beta: 0.1,
    dpo_loss_type: ['sigmoid', 'sft'],
    dpo_loss_weights: [1, 0.5],
    chat_template: 'tokenizer_default',
    datasets: [
      {
        path: 'hone_dpo.jsonl',
        ds_type: 'json',
        split: 'train',
        type: 'chat_template.default',
        field_messages: 'messages',
        field_chosen: 'chosen',
        field_rejected: 'rejected',
        message_property_mappings: { role: 'role', content: 'content' },
        roles: { system: ['system'], user: ['user'], assistant: ['assistant'] },
      },
    ],
    val_set_size: 0,
    output_dir: './output',
    dataset_prepared_path: './prepared',
    sequence_len: 2048,
    sample_packing: false,
    adapter: 'lora',
    lora_r: 16,
    lora_alpha: 32,
    lora_dropout: 0,
    lora_target_linear: true,
    micro_batch_size: 1,
    gradient_accumulation_steps: 8,
    num_epochs: 2,
    learning_rate: 2e-5,
    optimizer: 'adamw_torch',
    lr_scheduler: 'linear',
    warmup_ratio: 0.1,
    weight_decay: 0,
    bf16: 'auto',
    gradient_checkpointing: true,
    logging_steps: 1,
    seed: 42,
  }
}

type Turn = readonly [ChatMessage]
interface Example {
  readonly prompt: readonly ChatMessage[]
  readonly completion: Turn
}
interface Rated extends Example {
  readonly label: boolean
}
interface Preference {
  readonly prompt: readonly ChatMessage[]
  readonly chosen: Turn
  readonly rejected: Turn
}

/** Rows in one of TRL's formats, each once. */
function trl<Row extends object>(rows: readonly FeedbackRow[], format: 'dpo' | 'kto' | 'sft'): readonly Row[] {
  const unique = new Map(toRows(rows, format).map((row) => [JSON.stringify(row), row]))
  return [...unique.values()] as unknown as readonly Row[]
}

/**
 * A prompt as ShareGPT loaders want it: one system message at most, then people and assistant in turn, a person first.
 * They drop any other row with no more than a warning.
 */
function alternating(prompt: readonly ChatMessage[]): readonly ChatMessage[] {
  const system = prompt.filter(({ role }) => role === 'system')
  const turns = prompt.filter(({ role }) => role !== 'system')
  const first = turns.findIndex(({ role }) => role === 'user')
  const merged: ChatMessage[] = []
  for (const message of [...system, ...turns.slice(first)]) {
    const last = merged.at(-1)
    if (last?.role === message.role) {
      merged[merged.length - 1] = { ...last, content: `${last.content}\n\n${message.content}` }
    } else merged.push(message)
  }
  return merged
}

function jsonLines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}
