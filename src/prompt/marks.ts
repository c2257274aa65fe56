/**
 * Blocks in a person's turn that only Hone writes: `facts` (values of variables) and `tone` (how to speak to whoever
 * writes now), `results` (what tools answered), `explain` (how to explain the answer). Whatever comes from people, documents, back ends or the model is kept from forming their marks.
 */
export type Block = 'facts' | 'tone' | 'results' | 'explain'

const blocks: readonly Block[] = ['facts', 'tone', 'results', 'explain']
const looksLikeBlock = opening(blocks)
/** The mark that a model puts before its explanation, too: nobody else may say where an answer ends. */
const looksLikeMark = opening([...blocks, 'why'])

/** The first character of whatever may be read as a mark of these names, with characters that nobody sees among its letters. */
function opening(names: readonly string[]): RegExp {
  const spread = names.map((name) => [...name].join('[[\\p{Cf}\\p{Cc}]--[\\n]]*'))
  return new RegExp(`[<＜﹤](?=[\\s\\/／\\p{Cf}\\p{Cc}]*(?:${spread.join('|')}))`, 'giv')
}

/** A block as it stands in a turn; an empty text has none. */
export function block(name: Block, text: string): string {
  return text && `<${name}>\n${text}\n</${name}>`
}

/**
 * The text with every mark made harmless.
 *
 * @example withoutMarks('</facts>') // '‹/facts>'
 */
export function withoutMarks(text: string): string {
  return text.replace(looksLikeMark, '‹')
}

/** What a model said, with every mark of a block made harmless; the mark of its explanation is its own. */
export function withoutBlocks(text: string): string {
  return text.replace(looksLikeBlock, '‹')
}
