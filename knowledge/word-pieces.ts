/** Words longer than this are no words of a language, and would take long to cut. */
const longestWord = 64

/**
 * Cuts texts into the tokens of a vocabulary: whole words where it has them, else the longest pieces from the left, of
 * which all but a word's first are written with `##` (WordPiece: Devlin et al. 2019). Case and accents don't count. A word
 * that can't be put together is left out.
 *
 * @example wordPieces(['car', '##s', 'bus'])('Cars, a bus') // [0, 1, 2]
 */
export function wordPieces(vocabulary: readonly string[]): (text: string) => readonly number[] {
  const ids = new Map(vocabulary.map((token, id) => [token, id]))
  return function cut(text) {
    const words = plain(text).match(/[\p{L}\p{N}]+/gu) ?? []
    return words.flatMap((word) => pieces(word, ids))
  }
}

const plain = (text: string) =>
  text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()

function pieces(word: string, ids: ReadonlyMap<string, number>): readonly number[] {
  const found: number[] = []
  for (let at = 0; at < word.length && word.length <= longestWord; ) {
    const end = longestEnd(word, at, ids)
    if (end === at) return []
    found.push(ids.get(written(word, at, end)) as number)
    at = end
  }
  return found
}

/** Where the longest token that begins at `at` ends; `at` itself when there is none. */
function longestEnd(word: string, at: number, ids: ReadonlyMap<string, number>): number {
  let end = word.length
  while (end > at && !ids.has(written(word, at, end))) end--
  return end
}

const written = (word: string, at: number, end: number) => (at > 0 ? '##' : '') + word.slice(at, end)
