/** Decides whether we can read a question. Function words reveal its language better than statistics do. */
import { FUNCTION_WORDS } from '../vocabulary.ts'

/** Function words of other languages, except English words and parts of foreign phrases used in English. */
const FUNCTION_WORDS_OF: Readonly<Record<string, string>> = {
  German:
    'der das dem den des ein eine einer eines einem einen und oder ist sind wird werden welche welcher welches wie warum wann bei mit von auf für über durch zwischen nach nicht sich auch bei zu zur zum im vom gibt haben kann können wirkt wirkung hat einfluss beim',
  French:
    'le la les un une des du et ou est sont quel quelle quels quelles comment pourquoi dans sur avec chez pour par entre aux au ce cette ces il elle que qui ne pas peut ont',
  Spanish:
    'el la los las un una unos unas y o es son cuál cual cuáles qué cómo por para con sobre entre del al en se su sus como más tiene pueden puede según',
  Portuguese:
    'o os as um uma e ou é são qual quais como por para com sobre entre do da dos das no na nos nas em ao se seu sua mais tem pode não',
  Italian:
    'il lo la gli le un una e o è sono quale quali come perché per con su tra fra del della dello dei degli delle nel nella nei nelle di al alla che si più può non',
  Dutch:
    'de het een en of is zijn welke hoe waarom wat bij met van op voor over door tussen naar niet zich ook te ten wordt worden heeft hebben kan',
  Swedish:
    'och eller är hur varför vilken vilka vad på av för med hos till från mellan inte ett en den det som kan har',
  Danish:
    'og eller er hvordan hvorfor hvilken hvilke hvad på af for med hos til fra mellem ikke et en den det som kan har',
  Polish:
    'i lub jest są jak dlaczego jaki jaka jakie czy na w z do od dla przez między nie się oraz po u ma wpływ',
  Turkish:
    've veya bir bu ile için mi mı mu mü nasıl neden ne olan arasında üzerindeki üzerinde etkisi nedir',
  Indonesian:
    'dan atau yang di ke dari untuk pada dengan apa bagaimana mengapa apakah terhadap antara adalah tidak',
}

const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['Chinese or Japanese', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['Korean', /\p{Script=Hangul}/gu],
  ['a language in Cyrillic letters', /\p{Script=Cyrillic}/gu],
  ['a language in Arabic letters', /\p{Script=Arabic}/gu],
  ['Hebrew', /\p{Script=Hebrew}/gu],
  ['Greek', /\p{Script=Greek}/gu],
  ['a language of India', /[\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}]/gu],
  ['Thai', /\p{Script=Thai}/gu],
]

/** The name of the language if we cannot read the question, otherwise undefined. */
export function otherLanguage(question: string): string | undefined {
  const letters = question.match(/\p{L}/gu)?.length ?? 0
  for (const [name, script] of SCRIPTS) {
    // English questions may contain a Greek letter or a name in its own script.
    if ((question.match(script)?.length ?? 0) * 2 > letters) return name
  }
  const words = functionWordsIn(question)
  const english = words.filter((word) => FUNCTION_WORDS.has(word)).length
  const counts = Object.entries(FUNCTION_WORDS_OF).map(([language, list]) => {
    const known = new Set(list.split(' '))
    const found = new Set(words.filter((word) => known.has(word) && !FUNCTION_WORDS.has(word)))
    return { language, found: found.size }
  })
  const [best] = counts.sort((a, b) => b.found - a.found)
  return best && best.found >= 2 && best.found > english ? best.language : undefined
}

/** Lower-case words, except those before a capital: "van der Waals" and "de la Cruz" are names. */
function functionWordsIn(question: string): string[] {
  const words = question.normalize('NFC').match(/[\p{L}\p{M}]+/gu) ?? []
  return words.flatMap((word, at) => {
    if (at > 0 && /^\p{Lu}/u.test(word)) return []
    const particle = /^(?:van|von|de|der|den|la|le|du|di|da|del|dos|el|los|las)$/.test(word)
    const next = words.slice(at + 1).find((one) => !/^(?:der|den|la|le|los|las)$/.test(one)) ?? ''
    return particle && /^\p{Lu}/u.test(next) ? [] : word.toLowerCase()
  })
}
