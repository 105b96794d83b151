/** The words that tell study-type.ts the kind of study. The first match in each list counts. */
import type { StudyType } from '../../contract/literature.ts'

/** Types as PubMed, Europe PMC, OpenAlex and Crossref spell them, in lower case and without hyphens. */
export const BY_PUBLICATION_TYPE: readonly [name: string, type: StudyType][] = [
  ['meta analysis', 'meta_analysis'],
  ['network meta analysis', 'meta_analysis'],
  ['systematic review', 'systematic_review'],
  ['practice guideline', 'guideline'],
  ['guideline', 'guideline'],
  ['consensus development conference', 'guideline'],
  ['clinical trial protocol', 'protocol'],
  ['study protocol', 'protocol'],
  ['randomized controlled trial', 'randomized_controlled_trial'],
  ['randomized controlled trial, veterinary', 'animal'],
  ['clinical trial, veterinary', 'animal'],
  ['observational study, veterinary', 'observational'],
  ['equivalence trial', 'randomized_controlled_trial'],
  ['controlled clinical trial', 'clinical_trial'],
  ['adaptive clinical trial', 'clinical_trial'],
  ['pragmatic clinical trial', 'clinical_trial'],
  ['clinical trial, phase i', 'clinical_trial'],
  ['clinical trial, phase ii', 'clinical_trial'],
  ['clinical trial, phase iii', 'clinical_trial'],
  ['clinical trial, phase iv', 'clinical_trial'],
  ['clinical trial', 'clinical_trial'],
  ['case reports', 'case_report'],
  ['case report', 'case_report'],
  ['case control study', 'case_control'],
  ['cohort study', 'cohort'],
  ['cross sectional study', 'cross_sectional'],
  ['observational study', 'observational'],
  ['scoping review', 'review'],
  ['review article', 'review'],
  ['review', 'review'],
  ['editorial', 'editorial'],
  ['letter', 'editorial'],
  ['comment', 'editorial'],
  ['news', 'editorial'],
]

/** MEDLINE headings for study designs. Headings with "as Topic" are subjects instead. */
export const BY_HEADING: readonly [heading: string, type: StudyType][] = [
  ['case-control studies', 'case_control'],
  ['cross-sectional studies', 'cross_sectional'],
  ['qualitative research', 'qualitative'],
  ['cohort studies', 'cohort'],
  ['retrospective studies', 'cohort'],
  ['prospective studies', 'cohort'],
  ['longitudinal studies', 'cohort'],
]

/** Looks like a study design but is none of these kinds. */
export const NO_KIND =
  /\bmendelian[- ]randomi[sz]|\bmarkov\b|\bmonte carlo\b|\bmicrosimulation|\bhypothetical cohort\b|\b(?:protein|kernel) data bank\b/i

const RANDOMISED = String.raw`\brandomi[sz]ed\b(?! (?:block|loading|specimen|order))`
const NOT_BEFORE = String.raw`(?<!\b(?:non|not|un|quasi|neither|of|from|in)[- ])`

export const IN_TITLE: readonly [pattern: RegExp, type: StudyType][] = [
  [/\b(?:study|trial|review) protocol\b|\bprotocol (?:for|of) (?:a|an|the)\b|\bprotocol\s*$/i, 'protocol'],
  [/\bmeta-?\s?analy(?:s[ei]s|tic)\b|\bmeta-regression\b/i, 'meta_analysis'],
  [/\bsystematic(?: literature| scoping)? (?:review|overview)\b|\bumbrella review\b/i, 'systematic_review'],
  [
    /\b(?:practice |clinical |european |consensus |society )guidelines?\b|\bguidelines? (?:for|on)\b|\b(?:consensus|position) statement\b|\bwho recommendations\b|: (?:\w+ ){0,3}(?:guidelines?|recommendations)$/i,
    'guideline',
  ],
  [
    /\b(?:scoping|narrative|integrative|literature|critical|state-of-the-art|rapid|mini) ?-?reviews?\b|: (?:a|an) (?:\w+ )?(?:review|overview)\b/i,
    'review',
  ],
  [
    /^letter\b|: (?:a|an) (?:commentary|editorial|viewpoint|perspective|opinion)\b|^(?:editorial|commentary|viewpoint)\b/i,
    'editorial',
  ],
  [
    /\bcase reports?\b|\bcase series\b|: (?:a|an) (?:unusual |rare )?case\b(?![- ](?:control|crossover|study))/i,
    'case_report',
  ],
  [/\bin vitro\b(?! fertili[sz])|\bcell lines?\b/i, 'in_vitro'],
  [
    /\b(?:in|of) (?:\S+ ){0,3}(?:mice|rats|rabbits|piglets|zebrafish)\b(?! bites?)|\bmouse model\b|\brat model\b/i,
    'animal',
  ],
  [
    /\bnon-?\s?randomi[sz]ed (?:\w+ )?(?:trial|study)\b|\bsingle-arm\b|\bphase (?:1|i)b?(?:\/(?:2|ii))?a? (?:\w+ ){0,2}(?:trial|study)\b/i,
    'clinical_trial',
  ],
  [
    new RegExp(
      `${NOT_BEFORE}${RANDOMISED}(?! (?:trials|studies|controlled trials|evaluations|evidence))|\\brandomi[sz]ation trial\\b|\\bplacebo-controlled (?:\\w+ )?trial\\b`,
      'i',
    ),
    'randomized_controlled_trial',
  ],
  [/\bcase[-–\s]control (?:study|analysis|investigation)\b/i, 'case_control'],
  [
    /\bqualitative (?:study|research|analysis|interview|exploration|inquiry)\b|\binterview study\b|\bethnograph|\bphenomenological\b|\bfocus groups?\b|\bgrounded theory\b/i,
    'qualitative',
  ],
  [/\bcross-sectional (?:study|survey|analysis)\b/i, 'cross_sectional'],
  [
    /\b(?:cohort|follow-up|longitudinal|retrospective|prospective)(?: \w+){0,2} (?:study|analysis|cohort)\b|\b(?:register|population)-based cohort\b|\bcohort$/i,
    'cohort',
  ],
  [/\bobservational study\b|\bbefore-and-after study\b|\bnatural history study\b/i, 'observational'],
]

/** Sections about other studies or about what should be done. */
export const OTHER_SECTION =
  /^(?:background|introduction|context|rationale|conclusions?|discussion|implications?|interpretation|significance|importance|ethics|what is|data sources?|objectives?|aims?$)/i

/** Sentences about other studies, or about studies that were only proposed or did not happen. */
export const OF_OTHERS = new RegExp(
  [
    String.raw`\b(?:previous|earlier|prior|past|other|future|further|larger|more|most|several|many|few|existing|the only|published|such) (?:[\w-]+ ){0,3}(?:trials?|stud(?:y|ies)|research|surveys?|cohorts?|experiments?|reviews?)\b`,
    String.raw`\b(?:is|are|were|be) (?:still |urgently )?(?:needed|warranted|required|feasible|hardly|lacking|scarce|under ?way|ongoing|planned)\b`,
    String.raw`\b(?:not|never|without being) randomi[sz]ed\b`,
    String.raw`\bwould (?:need|require)\b|\bunder way\b|\bneither\b|\black of\b|\bcalls? for\b|\bin contrast to\b`,
    String.raw`\bno (?:[\w-]+ ){0,3}(?:trials?|stud(?:y|ies)) (?:has|have|had|exists?|was|were)\b`,
  ].join('|'),
  'i',
)

const PEOPLE_OR_UNITS = `(?:patients|participants|adults|children|women|men|people|subjects|volunteers|infants|neonates|students|undergraduates|schools|practices|households|villages|developers|clinics|wards|nurses|residents|individuals)`
const ANIMALS = `(?:mice|rats|rabbits|piglets|pigs|hamsters|gerbils|ferrets|sheep|dogs|cats|monkeys|macaques|chickens|zebrafish|mussels|fish|larvae)`

export const IN_ABSTRACT: readonly [pattern: RegExp, type: StudyType][] = [
  [
    /\bwe will (?:randomi[sz]e|recruit|enrol|include|conduct)|\b(?:trial|study) will (?:recruit|enrol|include|randomi[sz]e|be conducted)|\bwill be (?:randomi[sz]ed|recruited|enrolled|randomly)\b/i,
    'protocol',
  ],
  [
    /\bthis (?:clinical |practice )*guideline\b|\bthese (?:guidelines|recommendations) (?:provide|were|are|update|replace)|\bdeveloped this (?:clinical |practice )*guideline\b/i,
    'guideline',
  ],
  [/\b(?:umbrella review|overview of systematic reviews)\b/i, 'systematic_review'],
  [
    /\b(?:in (?:a|this|our)|this|we (?:performed|conducted|did|undertook|carried out) (?:a|an)|an?) (?:[\w-]+ ){0,5}meta-?analysis\b|\bmeta-analy[sz]ed\b|\bstudies .*\brandom-effects models?\b|\brandom-effects meta-analysis\b/i,
    'meta_analysis',
  ],
  [
    /\b(?:we|was|this) (?:[\w-]+ ){0,3}systematic(?:ally)? (?:literature )?review(?:ed)?\b|\bsystematic(?:ally)? (?:searched|review of)|\bwe searched (?:[\w-]+ ){0,3}(?:databases?|pubmed|medline|embase|web of science|scopus)/i,
    'systematic_review',
  ],
  [
    /\b(?:scoping|narrative|integrative|literature) review of\b|\bhere,? we (?:critically )?review\b|\bthis (?:[\w-]+ )?(?:article|paper|chapter) reviews\b|\bthis (?:[\w-]+ )?review (?:summari[sz]es|discusses|traces|considers|focuses|covers|describes|provides|aims|examines|explores)|\bin this (?:[\w-]+ )?review,? we\b/i,
    'review',
  ],
  [
    /\bin this (?:viewpoint|commentary|perspective|editorial|opinion|essay)\b|\bthis (?:editorial|commentary|viewpoint)\b|^to the editor\b/i,
    'editorial',
  ],
  [
    /\bwe (?:report|present|describe) (?:here )?(?:a|an|the|one|two|three|our) (?:[\w-]+ ){0,3}(?:case|patient|family|\d+-year-old)|\ban? \d+-(?:year|month|week|day)-old (?:[\w-]+ ){0,3}(?:man|woman|boy|girl|male|female|patient|infant|child|\w+ player)\b|\bcase series of\b|\bwe (?:report|present) (?:a |the )?case\b/i,
    'case_report',
  ],
  [
    new RegExp(
      String.raw`\b(?:wistar|sprague-dawley|c57bl\/6\w*|balb\/c|fischer 344|new zealand white|transgenic|knock-?out|ovariectomi[sz]ed|diabetic|weanling)\b.{0,40}\b${ANIMALS}\b|\b${ANIMALS}\b(?: \([^)]*\))?(?: [\w-]+){0,4} (?:were|received|was) (?:then )?(?:randomly |orally )?(?:assigned|divided|allocated|fed|treated|injected|exposed|sacrificed|infected|inoculated|immuni[sz]ed|subjected|given|administered)\b|\bzebrafish (?:embryos|larvae)\b|\binduced in (?:[\w\/-]+ ){0,6}${ANIMALS}\b`,
      'i',
    ),
    'animal',
  ],
  [
    /\b(?:specimens|discs|disks|chips|crowns|blocks|samples|teeth|molars|premolars|slices)\b[^.]{0,60}\b(?:randomly|assigned|allocated|randomi[sz]ed)\b(?! to (?:a |the )?(?:sample|survey))|\bin vitro\b(?! fertili[sz])(?=[^.]*\.?$)(?!.*\bin vivo\b)|\bused an? (?:[\w-]+ ){0,4}cell line\b|\bcells were (?:cultured|treated|exposed|seeded|incubated)\b/i,
    'in_vitro',
  ],
  [
    /\b(?:non-?randomi[sz]ed (?:[\w-]+ )?(?:trial|study)|single-arm|single-group|phase (?:[1-4]|i{1,3}v?)(?:b|a)?(?:\/(?:[1-4]|i{1,3})[ab]?)? (?:[\w-]+ ){0,3}(?:trial|study)|uncontrolled trial|quasi-experimental)\b(?!.*\brandomi[sz](?:ed|ation)\b(?!.*without))/i,
    'clinical_trial',
  ],
  [
    new RegExp(
      [
        String.raw`\bwe (?:randomi[sz]ed|randomly (?:assigned|allocated))\b|\bunderwent randomi[sz]ation\b`,
        String.raw`\b(?:${PEOPLE_OR_UNITS}|(?:he|she|they|who|and))\b[^.;]{0,80}\b(?:were|was|be|been|are|or)?\s?(?:randomi[sz]ed|randomly (?:assigned|allocated|divided)|allocated (?:randomly|at random)|randomi[sz]ed them)\b(?! (?:clinical |controlled )*(?:trials|studies))`,
        String.raw`\b(?:in (?:a|an|this|our)|this|we (?:performed|conducted|did|undertook|ran) (?:a|an)|design: (?:a|an)?|from (?:a|an)|of (?:a|an)) ?(?:[\w-]+,? ){0,7}(?:randomi[sz]ed|double-blind)[,]? (?:[\w-]+,? ){0,6}(?:trial|study|experiment|design)\b`,
        String.raw`^(?:an? )?(?:[\w-]+[, ]+){0,4}(?:double-blind|randomi[sz]ed)[\w\s,-]{0,60}\btrial\b`,
        String.raw`\brandomi[sz]ed (?:to|into|the placement|2:1|1:1)\b`,
      ].join('|'),
      'i',
    ),
    'randomized_controlled_trial',
  ],
  [
    /\bcase[-–\s]control (?:study|design|analysis)\b|\b\d+ cases (?:were matched|with|and) [\d,]+ (?:[\w-]+ ){0,3}controls\b/i,
    'case_control',
  ],
  [
    /\bthematic (?:analysis|coding)\b|\banaly[sz]ed thematically\b|\b(?:semi-structured|in-depth|unstructured) interviews\b|\bfocus group(?:s| discussions?)\b|\bethnographic\b|\bphenomenologic(?:al)?\b|\bgrounded theory\b/i,
    'qualitative',
  ],
  [
    /\bcross-sectional\b(?! area| image)|\bsurvey (?:of [^.]{0,60} )?was (?:carried out|conducted|sent|administered)|\bquestionnaires? (?:were|was) (?:sent|completed|distributed|administered)|\bcompleted (?:a|an) (?:[\w-]+ )*(?:questionnaire|survey)\b(?=.*\b(?:single time|once)\b)|\binterviewed once\b/i,
    'cross_sectional',
  ],
  [
    /\b(?:cohort study|cohort of (?:[\d,]+|patients|adults|women|men|children)|population-based cohort|birth cohort)\b|\bwe followed\b|\bwere (?:prospectively )?(?:followed|observed prospectively)\b|\bfollowed (?:up )?for\b|\bprospective(?:ly)?,? (?:observational|cohort|longitudinal|examined|followed|collected|enrolled|study|registry)\b|\bretrospective(?:ly)?,? (?:cohort|review|analy|stud|chart|examined|included|identified|observational)|\breviewed retrospectively\b|\blongitudinal (?:study|fixed|cohort|design|data|analys)|\bfollow-up (?:was|of) [^.]{0,30}(?:person-years|years|months)|\bduring (?:[\d,. ]+(?:person[- ]years|years)|a median follow)/i,
    'cohort',
  ],
  [/\bobservational(?:, [\w-]+)* study\b|\bbefore-and-after (?:study|design)\b/i, 'observational'],
]
