/**
 * Notices (such as corrections and retractions) are not papers. They are listed separately, linked to the papers they
 * are about, and mark them. A paper with a retraction or withdrawal notice counts as retracted.
 */
import { marksOf } from './merge.ts'
import { noticeInTitle, takesBack } from './notice-words.ts'
import type { NoticeType, Paper } from './paper.ts'
import { words } from './text.ts'

export interface Notice {
  paper: Paper
  type: NoticeType
  /** Ids of papers in this review that it is about. */
  about: string[]
}

export interface SetApart {
  papers: Paper[]
  notices: Notice[]
}

export function setApart(all: readonly Paper[]): SetApart {
  const papers = all.filter(({ notice }) => notice === null)
  const find = finder(papers)
  const marked = new Map(papers.map((paper) => [paper.id, paper]))
  const notices = all.flatMap((paper): Notice[] => {
    if (paper.notice === null) return []
    const { type } = paper.notice
    const about = find(paper)
    for (const id of about) {
      const one = marked.get(id)
      if (one) marked.set(id, mark(one, { type, doi: paper.doi, pmid: paper.pmid, source: paper.source }))
    }
    return [{ paper, type, about }]
  })
  return { papers: papers.map((paper) => marked.get(paper.id) ?? paper), notices }
}

function mark(paper: Paper, by: Paper['notices'][number]): Paper {
  return {
    ...paper,
    notices: marksOf([...paper.notices, by]),
    retracted: paper.retracted || takesBack(by.type),
  }
}

/** Finds papers by DOI or PMID, or by the title that a notice repeats if it names neither. */
function finder(papers: readonly Paper[]): (notice: Paper) => string[] {
  const byId = new Map<string, string>()
  const byTitle = new Map<string, string[]>()
  for (const { id, doi, pmid, title } of papers) {
    if (doi) byId.set(`doi ${doi}`, id)
    if (pmid) byId.set(`pmid ${pmid}`, id)
    const key = words(title).join(' ')
    byTitle.set(key, [...(byTitle.get(key) ?? []), id])
  }
  return ({ notice, title }) => {
    const named = notice?.about ?? []
    if (named.length > 0) {
      const ids = named.flatMap(({ doi, pmid }) => byId.get(`doi ${doi}`) ?? byId.get(`pmid ${pmid}`) ?? [])
      return [...new Set(ids)].sort()
    }
    const about = noticeInTitle(title)?.about
    const found = about ? (byTitle.get(words(about).join(' ')) ?? []) : []
    // If two papers share the title, the notice is ambiguous.
    return found.length === 1 ? found : []
  }
}
