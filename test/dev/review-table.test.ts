import t from 'tap'
import { reviewTable } from '../../dev/review-table.ts'

const paper = {
  rank: 1,
  year: 2021,
  title: 'A title',
  study_type: { type: 'case_report', from: 'text' },
  ranking: { score: 0.012345 },
}
const review = {
  question: 'Why is it so?',
  notice: 'Sample data.',
  counts: {
    identified: 9,
    unusable: 1,
    duplicates: 2,
    screened: 6,
    excluded: 3,
    excluded_by_rule: { excluded_keyword: 2, retracted: 1 },
    uncertain: 1,
    uncertain_by_rule: { no_abstract: 1 },
    included: 2,
  },
  papers: [paper],
}

t.test('the table stays within the width and shows the papers', async (t) => {
  const long = { ...paper, rank: 2, title: '間欠的断食'.repeat(30) }
  const text = reviewTable({ ...review, papers: [paper, long] }, 90)
  const [head = '', rule = '', first = '', second = ''] = text.split('\n')
  t.equal(rule.length, 90)
  t.equal(head.length, 90)
  t.match(first, /^ {2}1 {2}2021 {2}case report +A title +0\.0123$/)
  t.match(second, /…/)
  t.match(text, '9 records found: 2 duplicates, 1 without a title, 6 papers screened.')
  t.match(
    text,
    'Of these 2 included, 3 excluded (excluded keyword 2, retracted 1), 1 uncertain (no abstract 1).',
  )
  t.match(text, 'Note: Sample data.')
})

t.test('a long review is cut, and says so', async (t) => {
  const papers = Array.from({ length: 20 }, (_, at) => ({ ...paper, rank: at + 1 }))
  const text = reviewTable({ ...review, papers, notice: null }, 90)
  t.match(text, '… and 5 more in the file')
  t.notMatch(text, 'Note:')
})

t.test('a review without papers still has its counts', async (t) => {
  t.match(reviewTable({ ...review, papers: [] }, 90), '9 records found')
})

t.test('a file that is not a review is an error', async (t) => {
  t.throws(() => reviewTable({ ...review, papers: [{ ...paper, year: 'old' }] }, 90), /\/papers\/0\/year/)
})
