import type { Method } from '../../src/ports/trainer.ts'

/** How a held-out prompt is put to the model, beside how it was put when people judged it. */
export interface Layout {
  /** The profile's hidden prompts, rules, examples and facts. */
  readonly profile: boolean
  readonly passages: boolean
  /** The nearest judged replies of the training side. */
  readonly examples: boolean
  /** An instruction that asks for the reasons. */
  readonly explained: boolean
}

/** One row of a comparison: one thing that differs from the base. */
export interface Technique {
  readonly id: string
  readonly label: string
  readonly what: string
  /** Where it is recommended: what to do then. */
  readonly how: string
  readonly layout: Layout
  /** What the weights are trained with; absent: the base's own. */
  readonly method?: Method
}

const asItIs: Layout = { profile: true, passages: true, examples: false, explained: false }
const withExamples: Layout = { ...asItIs, examples: true }
const gateDecides = 'the gate has the last word.'
const tellExamples = 'set `learn: own` or `learn: tenant` in the profile'

function trained(method: Method, label: string, what: string, layout = asItIs): Technique {
  const also = layout.examples ? ` and ${tellExamples}` : ''
  const how = `Run \`hone train --method ${method}\`${also}; ${gateDecides}`
  return { id: layout.examples ? `${method}+examples` : method, label, what, how, layout, method }
}

/**
 * The rows, in the table's order. Those that share weights stand together, so that each method is trained once. The base is
 * the bot as it is set up, untrained; every other row changes one thing, combinations two.
 */
export const techniques: readonly Technique[] = [
  {
    id: 'base',
    label: 'Base',
    what: 'the base model, the profile and the passages, as the bot answers untrained',
    how: 'Nothing has to be changed.',
    layout: asItIs,
  },
  {
    id: 'bare',
    label: 'Model alone',
    what: 'neither profile nor passages',
    how: 'Use a profile without prompts, and no documents.',
    layout: { ...asItIs, profile: false, passages: false },
  },
  {
    id: 'no-profile',
    label: 'Prompt tuning off',
    what: 'without the hidden prompts, rules and examples of the profile',
    how: 'Take hidden prompts, rules and examples out of the profile.',
    layout: { ...asItIs, profile: false },
  },
  {
    id: 'no-passages',
    label: 'RAG off',
    what: 'without passages from the documents',
    how: 'Set `passages: 0` in the profile.',
    layout: { ...asItIs, passages: false },
  },
  {
    id: 'examples',
    label: 'Learned examples',
    what: 'the nearest judged replies told as examples',
    how: `For this, ${tellExamples}.`,
    layout: withExamples,
  },
  {
    id: 'explained',
    label: 'Explanation asked for',
    what: 'an instruction that asks for the reasons',
    how: 'Ask for the reasons in the profile’s hidden prompts.',
    layout: { ...asItIs, explained: true },
  },
  trained('sft', 'SFT', 'trained on what people chose and liked'),
  trained('sft', 'SFT + learned examples', 'both', withExamples),
  trained('dpo', 'DPO', 'trained on pairs'),
  trained('dpo', 'DPO + learned examples', 'both', withExamples),
  trained('kto', 'KTO', 'trained on thumbs'),
  trained('rl', 'Reward model + RL', 'a reward model on the pairs, then RLOO against it'),
  trained('explain', 'Explanation tuning', 'trained on a teacher’s explained answers'),
  trained('full', 'Full fine-tuning', 'every weight trained on what people chose and liked'),
]
