/** The words that tell sample-size.ts what a number counts. */

/** Plural nouns for people and animals that take part in studies. */
export const COUNTED = [
  'participants|patients|inpatients|outpatients|adults|subjects|individuals|people|persons|volunteers|residents|inhabitants|citizens',
  'women|men|females|males|mothers|fathers|parents|couples|twins|families|households|caregivers|carers|relatives|partners',
  'children|adolescents|youths?|teenagers|infants|newborns|neonates|toddlers|babies|boys|girls|births|pregnancies|singletons|preschoolers|schoolchildren',
  'students|undergraduates|pupils|teachers|learners|respondents|interviewees|informants|employees|workers|staff|vendors|officials|couriers|drivers|farmers|managers',
  'nurses|physicians|doctors|clinicians|surgeons|midwives|dentists|pharmacists|practitioners|professionals|developers|engineers|programmers|experts?(?= (?:took|participated))',
  'veterans|soldiers|athletes|runners|players|smokers|drinkers|donors|recipients|survivors|cases|controls|callers|clients|customers|consumers|users|voters|migrants|refugees|prisoners|inmates|offenders|members|graduates|trainees|octogenarians|centenarians|seniors|elders|non-smokers|bereaved',
  'rats|mice|rabbits|pigs|piglets|sows|cows|calves|cattle|sheep|lambs|goats|horses|dogs|cats|monkeys|macaques|hens|chickens|broilers|mussels|fish|hamsters|ferrets|bees',
].join('|')

/** A word between a number and its noun; excludes words that start a new thought. */
export const ADJECTIVE = String.raw`(?!(?:of|in|to|from|and|or|with|for|at|on|by|per|were|was|is|are|had|have|has|the|a|an|weeks?|months?|years?|days?|hours?|minutes?|mg|kg|ml|mm|cm|iu|times|percent|million|billion|groups?|arms?|studies|trials|articles|papers|schools|centres|centers|sites|farms|practices|hospitals|countries|items|points|sessions|doses|that|who|which)(?=[\s,]|$))[\p{L}\p{N}'’/-]+,?`

/** Marks a part, an arm, or people before selection. */
export const PARTIAL = {
  before:
    /\b(?:of (?:these|those|whom|which|the|them),?(?: only)?|among (?:these|those|whom)|including|additional|another|the other|the remaining|in each|each of|groups? of|every|hypothetical cohort of|per|excluding|excluded|after exclusion of|aged?|least|panel of|for every|sets? of|clusters of|teams of|an? (?:estimated|average|mean|median)(?: of)?|invited|approached|sent to|screened|assessed|contacted|power|detect|up to)\s*$|\b(?:of (?:these|whom|those)|among (?:these|those|whom))\b[^.;]*$/i,
  after:
    /^(?:[^.;,]{0,30})(?:\bper (?:group|arm|condition)|\bin each\b|\bper year\b|\beach\b(?! of| year))|^ (?:were |was |had been )?(?:screened|invited|approached|contacted|assessed for eligibility|eligible|excluded|identified as|lost|not )|^ (?:in|from|of) the (?:\w+ ){0,3}(?:group|arm)\b|^[^.;]{0,60}\bwere excluded\b|^ (?:screened|invited|approached|excluded|lost)\b|^ years\b/i,
}

/** Marks figures about the world, not the study. */
export const MANY =
  /\b(?:million|billion)\b(?!.*\b(?:we|included|studied|analy[sz]ed)\b)|\bworldwide\b|^(?!.*\b(?:we|our|this)\b).*(?:\b(?:each|per|every) year\b|\bannually\b)|\bestimated \d|\b(?:are|is) estimated\b|\bhypothetical\b|\bglobally\b|\btrained (?:a|an|the|our) (?:[\w-]+ )*(?:networks?|models?|classifiers?)\b/i

/** Marks an outcome, or people who had one. */
export const EVENT_BEFORE =
  /\b(?:occurr(?:ed|ing)|seen|found|observed|noted|detected|present|reported|achieved|reached|improved|diagnosed|developed|died|recurred|positive|successful|experienced|complications?|events?|toxicity|syndrome|response|recurrence|mortality) (?:\w+ ){0,2}(?:in|by|among|for|of) (?:only )?$|\bcured? (?:in )?$/i
export const EVENT_AFTER =
  /^(?: \([^)]*\))? (?:later )?(?:developed|died|experienced|relapsed|withdrew|dropped|discontinued|recovered|survived|responded to|achieved|reached|improved|deteriorated|tolerated|needed|required|tested positive|showed|declined|refused|did not|had (?:a |an )?(?!received|been|under)|with (?:complete (?:response|remission)|missing|adverse))|^ (?:were|was) (?:positive|lost|cured|dead|alive|hospitali[sz]ed|readmitted|later|arrested|interviewed again|born|already)/i

/** Marks participants without a noun. */
export const TAKES_PART = String.raw`(?:responded|completed the (?:survey|questionnaire)|participated|took part|consented|(?:were|was) (?:enrolled|recruited|included|randomi[sz]ed|randomly assigned|analy[sz]ed|eligible and))\b`

const ALLOCATED = `randomi[sz]ed|randomly (?:assigned|allocated|divided)|enrol(?:l)?ed|recruit(?:ed)?|enrol(?:l)?|include[ds]?|allocat(?:ed|e)|assigned|randomi[sz]e`
const STUDIED = `followed|studied|examined|interviewed|surveyed|observed|analy[sz]ed|investigated|tested|treated|evaluated|compared|reviewed|monitored|scored|linked|identified|selected|registered|assessed|described|screened`

export const WHOLE_BEFORE: readonly (readonly [RegExp, number])[] = [
  [/\bleaving (?:a (?:total|sample) of )?$/i, 13],
  [
    /\b(?:a|the)? ?(?:grand )?total (?:sample )?(?:of )?$|\bin (?:all|total),? $|\boverall,? $|\baltogether,? $|\b(?:sample|population) (?:size )?(?:of|was|comprised|consisted of|included) $/i,
    11,
  ],
  [
    new RegExp(
      String.raw`\b(?:we|trial|study|who) (?:also |will |then |prospectively |consecutively |retrospectively )?(?:${ALLOCATED}) (?:the charts of |data (?:of|from) )?$`,
      'i',
    ),
    10,
  ],
  [
    new RegExp(
      String.raw`\b(?:we|i|study|trial|screening programme) (?:also |prospectively |retrospectively )?(?:${STUDIED})(?: (?:the )?(?:charts|records|data|course|files|households?) (?:of|from))? (?:all )?$`,
      'i',
    ),
    9,
  ],
  [
    /\b(?:trials?|studies|articles|rcts?|reviews|records)\b[^.;]{0,20}(?:\(|(?:with|comprising|involving|including|of|enrolling|totalling) )(?:a total of )?$/i,
    10,
  ],
  [
    /\b(?:cohort|sample|trial|study|series|survey|panel|analysis|registry|data|records|charts|course|programme) (?:that |which )?(?:of|in|from|with|involving|comprising|including|included|among|interviewed|on) (?:all |the )?$/i,
    9,
  ],
  [
    /\b(?:interviews (?:were (?:held|conducted) )?with|interviews with|parents of|data (?:of|from) (?:the )?|questionnaires? from|blood (?:samples )?from|performed (?:once )?in|families of|injection of|design: |participants: |^among |^of |included the |in (?:a|this) [\w -]*trial |trial (?:of [\w-]+ )?in )$/i,
    8,
  ],
]

export const WHOLE_AFTER: readonly (readonly [RegExp, number])[] = [
  [
    new RegExp(
      String.raw`^[^.;:]{0,90}?\b(?:were|was|underwent|could be|and) (?:then |prospectively |consecutively |retrospectively |all )?(?:${ALLOCATED}|randomi[sz]ation)\b`,
      'i',
    ),
    10,
  ],
  [/^[^.;:]{0,60}?\b(?:took part|participated|entered|volunteered)\b/i, 10],
  [/^,? (?:\d+ )?(?:per|in each|\(\d)/i, 0],
  [
    new RegExp(
      String.raw`^[^.;:]{0,90}?\b(?:were|was) (?:then |each |all |prospectively |retrospectively )?(?:${STUDIED}|divided|compared|included)\b`,
      'i',
    ),
    8,
  ],
  [/^[^.;:]{0,40}?\b(?:completed|received|responded|underwent|wore|were available|contributed|gave)\b/i, 7],
]
