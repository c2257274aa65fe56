type Json = Record<string, unknown>

/** Block types of messages, and how many elements each may have. */
const elements: Readonly<Record<string, number>> = { actions: 25, context: 10, context_actions: 5 }
const known = new Set([
  'actions',
  'context',
  'context_actions',
  'divider',
  'header',
  'image',
  'input',
  'markdown',
  'plan',
  'rich_text',
  'section',
  'table',
  'task_card',
])
const longestMarkdown = 12_000

/** What Slack would say against these blocks (its `response_metadata.messages`); empty when it takes them. */
export function refusedBlocks(blocks: unknown, most = 50): readonly string[] {
  if (!Array.isArray(blocks)) return ['blocks must be an array']
  const errors = blocks.length > most ? [`no more than ${most} items allowed [json-pointer:/blocks]`] : []
  const markdown = blocks.reduce((sum, block) => sum + (block?.type === 'markdown' ? String(block.text).length : 0), 0)
  if (markdown > longestMarkdown) errors.push('msg_too_long: markdown blocks hold more than 12,000 characters')
  const ids = blocks.map((block) => block?.block_id).filter(Boolean)
  if (new Set(ids).size < ids.length) errors.push('block_id must be unique')
  return [...errors, ...blocks.flatMap((block, at) => refusedBlock(block, `/blocks/${at}`))]
}

function refusedBlock(block: Json | undefined, at: string): readonly string[] {
  const type = String(block?.['type'])
  if (!block || !known.has(type)) return [`unsupported type: ${type} [json-pointer:${at}/type]`]
  const errors: string[] = []
  const most = elements[type]
  const list = block['elements']
  if (most !== undefined && (!Array.isArray(list) || list.length === 0 || list.length > most))
    errors.push(`must have 1 to ${most} elements [json-pointer:${at}/elements]`)
  if (type === 'section' && !block['text'] && !block['fields']) errors.push(`a section needs text or fields ${at}`)
  if (block['text'] && type !== 'markdown')
    errors.push(...refusedText(block['text'] as Json, type === 'header' ? 150 : 3000, `${at}/text`))
  if (String(block['block_id'] ?? '').length > 255) errors.push(`block_id is too long ${at}`)
  if (type === 'input' && (!block['label'] || !block['element'])) errors.push(`an input needs label and element ${at}`)
  for (const name of ['label', 'hint'])
    if (block[name]) errors.push(...refusedText(block[name] as Json, 2000, `${at}/${name}`, 'plain_text'))
  for (const field of (block['fields'] as Json[] | undefined) ?? [])
    errors.push(...refusedText(field, 2000, `${at}/fields`))
  for (const one of [...((list as Json[]) ?? []), block['element'], block['accessory']].filter(Boolean) as Json[])
    errors.push(...refusedElement(one, type, at))
  return errors
}

function refusedElement(element: Json, block: string, at: string): readonly string[] {
  const type = String(element['type'])
  const errors: string[] = []
  const text = element['text'] as Json | undefined
  if (String(element['action_id'] ?? '').length > 255) errors.push(`action_id is too long ${at}`)
  if (String(element['value'] ?? '').length > 2000) errors.push(`value is too long ${at}`)
  if (block === 'context_actions' && !['feedback_buttons', 'icon_button'].includes(type))
    errors.push(`${type} is not allowed in context_actions ${at}`)
  if (block !== 'context_actions' && ['feedback_buttons', 'icon_button'].includes(type))
    errors.push(`${type} is allowed in context_actions only ${at}`)
  if (type === 'button') errors.push(...refusedText(text, 75, `${at}/text`, 'plain_text'))
  if (type === 'feedback_buttons')
    for (const side of ['positive_button', 'negative_button']) {
      const button = element[side] as Json | undefined
      if (!button?.['value']) errors.push(`${side} needs a value ${at}`)
      errors.push(...refusedText(button?.['text'] as Json | undefined, 75, `${at}/${side}`, 'plain_text'))
      if (String(button?.['accessibility_label'] ?? '').length > 75) errors.push(`label is too long ${at}`)
    }
  if (type === 'mrkdwn' && String(element['text']).length > 3000) errors.push(`context text is too long ${at}`)
  if (
    type === 'plain_text_input' &&
    String(element['initial_value'] ?? '').length > Number(element['max_length'] ?? 3000)
  )
    errors.push(`initial_value is longer than max_length ${at}`)
  if (type === 'radio_buttons') errors.push(...refusedOptions((element['options'] as Json[]) ?? [], at))
  if (element['confirm']) errors.push(...refusedConfirm(element['confirm'] as Json, `${at}/confirm`))
  return errors
}

function refusedOptions(options: readonly Json[], at: string): readonly string[] {
  const errors = options.length < 1 || options.length > 10 ? [`must have 1 to 10 options ${at}`] : []
  for (const { text, value } of options) {
    errors.push(...refusedText(text as Json, 75, `${at}/options`))
    if (String(value).length > 150) errors.push(`an option's value is too long ${at}`)
  }
  return errors
}

function refusedConfirm(confirm: Json, at: string): readonly string[] {
  const most = { title: 100, text: 300, confirm: 30, deny: 30 }
  return Object.entries(most).flatMap(([name, limit]) => refusedText(confirm[name] as Json, limit, `${at}/${name}`))
}

function refusedText(text: Json | undefined, most: number, at: string, only?: string): readonly string[] {
  const kind = String(text?.['type'])
  if (!['plain_text', 'mrkdwn'].includes(kind) || (only && kind !== only))
    return [`text must be ${only ?? 'a text object'} ${at}`]
  const length = String(text?.['text'] ?? '').length
  if (length < 1 || length > most) return [`text must have 1 to ${most} characters [json-pointer:${at}]`]
  return []
}

/** The same for a modal or a home tab. */
export function refusedView(view: unknown): readonly string[] {
  if (typeof view !== 'object' || view === null) return ['view is missing']
  const one = view as Json
  const errors = [...refusedBlocks(one['blocks'], 100)]
  if (!['modal', 'home'].includes(String(one['type']))) errors.push('view type must be modal or home')
  if (one['type'] === 'modal') {
    for (const name of ['title', 'submit', 'close'])
      if (one[name] || name === 'title') errors.push(...refusedText(one[name] as Json, 24, `/${name}`, 'plain_text'))
    const inputs = (one['blocks'] as Json[]).some((block) => block['type'] === 'input')
    if (inputs && !one['submit']) errors.push('a modal with inputs needs submit')
  }
  if (String(one['private_metadata'] ?? '').length > 3000) errors.push('private_metadata is too long')
  return errors
}
