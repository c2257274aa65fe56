import { z } from 'zod'

const customId = z.string().min(1).max(100)
const emoji = z.looseObject({ name: z.string().min(1).max(32) })
const button = z.strictObject({
  type: z.literal(2),
  style: z.int().min(1).max(4),
  custom_id: customId,
  label: z.string().min(1).max(80).optional(),
  emoji: emoji.optional(),
  disabled: z.boolean().optional(),
})
const row = z.strictObject({ type: z.literal(1), components: z.array(button).min(1).max(5) })
const embed = z.strictObject({
  title: z.string().max(256).optional(),
  description: z.string().max(4096).optional(),
  color: z.int().min(0).max(0xffffff).optional(),
  image: z.strictObject({ url: z.string() }).optional(),
  footer: z.strictObject({ text: z.string().max(2048) }).optional(),
  fields: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(256),
        value: z.string().min(1).max(1024),
        inline: z.boolean().optional(),
      }),
    )
    .max(25)
    .optional(),
})
const poll = z.strictObject({
  question: z.strictObject({ text: z.string().min(1).max(300) }),
  answers: z
    .array(
      z.strictObject({ poll_media: z.strictObject({ text: z.string().min(1).max(55), emoji: z.null().optional() }) }),
    )
    .min(1)
    .max(10),
  duration: z.int().min(1).max(768),
  allow_multiselect: z.boolean(),
  layout_type: z.literal(1).optional(),
})
const mentions = z.strictObject({ parse: z.array(z.string()), replied_user: z.boolean().optional() })
/** What may be sent or edited as a message; unknown fields are mistakes here, though Discord would ignore them. */
const message = z.strictObject({
  content: z.string().max(2000).nullish(),
  embeds: z.array(embed).max(10).nullish(),
  components: z.array(row).max(5).nullish(),
  flags: z.int().nullish(),
  nonce: z.string().max(25).optional(),
  enforce_nonce: z.boolean().optional(),
  allowed_mentions: mentions.optional(),
  attachments: z.array(z.looseObject({ id: z.union([z.string(), z.int()]) })).nullish(),
  message_reference: z.strictObject({ message_id: z.string(), fail_if_not_exists: z.boolean().optional() }).optional(),
  tts: z.boolean().optional(),
  poll: poll.optional(),
})

const option = z.strictObject({ label: z.string().min(1).max(100), value: z.string().min(1).max(100) })
const field = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal(4),
    custom_id: customId,
    style: z.int().min(1).max(2),
    value: z.string().max(4000).optional(),
    max_length: z.int().min(1).max(4000).optional(),
    placeholder: z.string().max(100).optional(),
    required: z.boolean().optional(),
  }),
  z.strictObject({
    type: z.literal(21),
    custom_id: customId,
    options: z.array(option).min(2).max(10),
    required: z.boolean().optional(),
  }),
])
const modal = z.strictObject({
  custom_id: customId,
  title: z.string().min(1).max(45),
  components: z
    .array(
      z.strictObject({
        type: z.literal(18),
        label: z.string().min(1).max(45),
        description: z.string().max(100).optional(),
        component: field,
      }),
    )
    .min(1)
    .max(5),
})

const name = z.string().regex(/^[-_\p{Ll}\p{N}]{1,32}$/u)
const description = z.string().min(1).max(100)
const choice = z.strictObject({ name: z.string().min(1).max(100), value: z.string().min(1).max(100) })
const parameter = z.strictObject({
  type: z.union([z.literal(3), z.literal(4), z.literal(5)]),
  name,
  description,
  required: z.boolean().optional(),
  autocomplete: z.boolean().optional(),
  choices: z.array(choice).max(25).optional(),
  max_length: z.int().min(1).max(6000).optional(),
  min_value: z.int().optional(),
  max_value: z.int().optional(),
})
const parameters = z.array(parameter).max(25)
const subcommand = z.strictObject({ type: z.literal(1), name, description, options: parameters.optional() })
const shared = {
  default_member_permissions: z.string().nullish(),
  contexts: z.array(z.int().min(0).max(2)).min(1).optional(),
  integration_types: z.array(z.int().min(0).max(1)).optional(),
}
const command = z.union([
  z.strictObject({
    type: z.literal(1),
    name,
    description,
    options: z.union([z.array(subcommand).max(25), parameters]).optional(),
    ...shared,
  }),
  z.strictObject({ type: z.union([z.literal(2), z.literal(3)]), name: z.string().min(1).max(32), ...shared }),
])

/** What is wrong with a body, as Discord would say it; undefined when nothing is. */
export function faultOf(what: 'message' | 'modal' | 'commands', body: unknown): string | undefined {
  const shape = { message, modal, commands: z.array(command).max(110) }[what]
  const found = shape.safeParse(body)
  if (!found.success) return z.prettifyError(found.error)
  if (what !== 'message') return undefined
  const { components, embeds } = found.data as z.infer<typeof message>
  const ids = components?.flatMap(({ components: all }) => all.map(({ custom_id }) => custom_id)) ?? []
  if (new Set(ids).size < ids.length) return 'Component custom id cannot be duplicated'
  const size = JSON.stringify(embeds ?? []).length
  return size > 6000 ? 'Embed size exceeds maximum size of 6000' : undefined
}
