/** The text as it counts for comparing: composed Unicode, single spaces. Never used to change what is trained on. */
export function normalised(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim()
}

/** Words as written, digits and marks included. */
export function wordsOf(text: string): readonly string[] {
  return normalised(text).split(' ').filter(Boolean)
}

/** Share of words that would have to be changed to make one text of the other: 0 the same, 1 nothing in common. */
export function wordDistance(a: string, b: string): number {
  const left = wordsOf(a)
  const right = wordsOf(b)
  const longest = Math.max(left.length, right.length)
  return longest === 0 ? 0 : 1 - commonLength(left, right) / longest
}

/**
 * True when two texts differ in fewer than one word of twenty and in no number: such a pair teaches next to nothing
 * and is known to push both texts down (arXiv 2410.08847). "22 days" and "25 days" is a real difference.
 */
export function nearlyIdentical(a: string, b: string): boolean {
  if (normalised(a).toLowerCase() === normalised(b).toLowerCase()) return true
  return numbersOf(a) === numbersOf(b) && leastDistance(a, b) < few && wordDistance(a, b) < few
}

/** Share of words from which texts differ. */
const few = 0.05

/** {@link wordDistance} if words could be in any order: never more than that, and quick, for texts that aren't alike. */
function leastDistance(a: string, b: string): number {
  const [left, right] = [wordsOf(a), wordsOf(b)]
  const counts = new Map<string, number>()
  for (const word of left) counts.set(word, (counts.get(word) ?? 0) + 1)
  let common = 0
  for (const word of right) {
    const count = counts.get(word) ?? 0
    if (count > 0) common += 1
    counts.set(word, count - 1)
  }
  return 1 - common / Math.max(left.length, right.length, 1)
}

function numbersOf(text: string): string {
  return (text.match(/\d+/g) ?? []).join(' ')
}

/** Length of the longest common subsequence of words. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const word of a) {
    const next = [0]
    for (let j = 1; j <= b.length; j++) {
      next.push(word === b[j - 1] ? (row[j - 1] as number) + 1 : Math.max(row[j] as number, next[j - 1] as number))
    }
    row = next
  }
  return row[b.length] as number
}
