/** Corrections, retractions and the like, each with the papers of this review that it concerns. */
import { type Data, data, list, plain, text } from '../api/read.ts'

export function Notices({ review }: { review: Data }) {
  const notices = list(review.notices).map(data)
  if (notices.length === 0) return null
  const titles = new Map(
    [...list(review.papers), ...list(review.uncertain), ...list(review.excluded)].map((paper) => {
      const { id, title } = data(paper)
      return [text(id), text(title)]
    }),
  )
  return (
    <section aria-labelledby="notices">
      <h3 id="notices">
        Notices <span class="quiet">{notices.length}</span>
      </h3>
      <p class="hint">Notices are not counted as papers. Each one marks the papers it concerns.</p>
      <ul class="plain-list">
        {notices.map((notice, at) => (
          <li key={at}>
            <span class="chip warm">{plain(text(notice.type)) || 'notice'}</span>{' '}
            <bdi>{text(notice.title) || text(notice.id)}</bdi>
            {text(notice.year) && <span class="quiet"> {text(notice.year)}</span>}
            <p class="quiet">
              {list(notice.about).length === 0
                ? 'Concerns no paper in this review.'
                : list(notice.about).map((id, place) => (
                    <span key={place}>
                      {place === 0 ? 'About: ' : '; '}
                      <bdi>{titles.get(text(id)) || text(id)}</bdi>
                    </span>
                  ))}
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}
