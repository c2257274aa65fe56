/** English words that carry a sentence but not its subject. Words of other languages are left to BM25's own weights. */
const functionWords = new Set(
  `a about above after again all also am an and any are as at be because been before being below between both but by can
  could did do does doing don down during each else ever few for from further get gets give had has have having he her
  here hers him his how i if in into is it its just know let like ll many may me might more most much must my no nor not
  now of off ok okay on once one only or other our ours out over own per please re s same shall she should show so some
  such t tell than thank thanks that the their theirs them then there these they this those through to too under until
  up us ve very want was we were what when where which while who whom whose why will with would you your yours hello hi
  hey explain need find mean means say says there whats d m`.split(/\s+/),
)

/** Words of a text, lower case, without function words; `IT` in capitals is a word even though `it` is none. */
export function contentWords(text: string): readonly string[] {
  const shouting = text === text.toUpperCase()
  const words = text.slice(0, 8000).match(/[\p{L}\p{N}]+/gu) ?? []
  return words
    .filter((word) => !functionWords.has(word.toLowerCase()) || (!shouting && /^\p{Lu}{2,}$/u.test(word)))
    .map((word) => word.toLowerCase())
}

/**
 * A full-text query that matches any content word of `text`; empty when there is none. Each word is quoted, so nothing
 * a person types can be query syntax. A word that is not `known` is a typing error or another form of a word, most
 * likely: then whatever begins as it does matches too.
 *
 * @example lexicalQuery('How many vacation days?') // '"vacation" OR "days"'
 */
export function lexicalQuery(text: string, known: (word: string) => boolean = () => true): string {
  return [...new Set(contentWords(text))]
    .slice(0, 64)
    .map((word) => (word.length < 5 || known(word) ? `"${word}"` : `"${word.slice(0, Math.ceil(word.length * 0.7))}"*`))
    .join(' OR ')
}
