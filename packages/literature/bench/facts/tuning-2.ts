import type { Labelled } from './labelled.ts'

export const TUNING_2: readonly Labelled[] = [
  {
    field: 'economics',
    title: 'Behavioural insurance: an overview',
    abstract:
      'This article reviews the literature on insurance demand under prospect theory. We highlight laboratory experiments and field evidence, and suggest open questions.',
    kind: 'review',
    size: null,
  },
  {
    field: 'computer science',
    title: 'Sparse attention for long documents',
    abstract:
      'We propose a sparse attention mechanism that scales linearly. On three benchmarks it matches dense models with 40% less memory. We trained with random seeds on 8 GPUs. Code is available.',
    kind: null,
    size: null,
  },
  {
    field: 'computer science',
    title: 'Test-driven development in industry: a controlled experiment',
    abstract:
      'Thirty-nine professional developers were randomly assigned to test-first or test-last development of the same task. External quality did not differ (p = 0.31).',
    kind: 'randomized_controlled_trial',
    size: 39,
  },
  {
    field: 'computer science',
    title: 'Explainable models in radiology: a scoping review',
    abstract:
      'Following the PRISMA extension for scoping reviews, we searched four databases. From 2,210 records, 87 studies were included. Saliency maps dominated.',
    kind: 'review',
    size: null,
  },
  {
    field: 'physics',
    title: 'Repeating fast radio bursts from a magnetar',
    abstract:
      'We report 1,652 bursts detected with a 500-m telescope over 47 days. The energy distribution is bimodal. A cohort of repeating sources may share this feature.',
    kind: null,
    size: null,
  },
  {
    field: 'materials',
    title: 'Crack growth in recycled aluminium under cyclic loading',
    abstract:
      'Twenty-four specimens were tested at a stress ratio of 0.1. Threshold values fell by 18% with iron content. A randomized loading sequence was used for half of the specimens.',
    kind: null,
    size: null,
  },
  {
    field: 'law',
    title: 'Judicial review of administrative algorithms',
    abstract:
      'This article examines how courts review decisions made by algorithms. Drawing on cases from four jurisdictions, it argues that a duty to give reasons is insufficient.',
    kind: null,
    size: null,
  },
  {
    field: 'history',
    title: 'Bread riots and grain prices in the eighteenth century',
    abstract:
      'Using parish records from 212 towns, this article shows that riots followed prices with a lag of one season. Women made up a third of those arrested.',
    kind: null,
    size: null,
  },
  {
    field: 'history',
    title: 'Guinea pigs of the state: vaccination campaigns in colonial archives',
    abstract:
      'Drawing on archives in Dakar and Paris, we show how villagers described themselves as guinea pigs. The trials of 1934 were neither randomised nor controlled in any modern sense.',
    kind: null,
    size: null,
  },
  {
    field: 'sociology',
    title: 'Unemployment and trust: evidence from a household panel',
    abstract:
      'We use a panel that interviewed 9,870 respondents each year from 2002 to 2017. Longitudinal fixed-effects models show that losing a job lowers trust by 0.1 standard deviations.',
    kind: 'cohort',
    size: 9870,
  },
  {
    field: 'sociology',
    title: 'Becoming a gig worker',
    abstract:
      'Based on 14 months of ethnographic fieldwork and interviews with 52 couriers, I show how platforms turn waiting into work.',
    kind: 'qualitative',
    size: 52,
  },
  {
    field: 'endocrinology',
    title: 'Metformin for antipsychotic weight gain',
    abstract:
      'OBJECTIVE: To test metformin.\nDESIGN: Double-blind, placebo-controlled, parallel-group trial.\nPARTICIPANTS: One hundred and twenty-eight patients with schizophrenia, 64 per group, were randomised.\nRESULTS: Weight fell by 3.2 kg with metformin.',
    kind: 'randomized_controlled_trial',
    size: 128,
  },
  {
    field: 'endocrinology',
    title: 'Vitamin D3 and antibodies in multiple sclerosis',
    abstract:
      'Methods: This study used blood samples from a randomized controlled trial in patients receiving either vitamin D3 (14,000 IU/day; n = 30) or placebo (n = 23) over 48 weeks.\nResults: Antibody levels fell with vitamin D3 (526 to 455 U/mL) compared with placebo.',
    kind: 'randomized_controlled_trial',
    size: 53,
    publication_types: ['Journal Article', 'Randomized Controlled Trial'],
  },
  {
    field: 'endocrinology',
    title: 'Thyroid nodules in health examinations',
    abstract:
      'Thyroid ultrasound was performed once in 3,021 employees undergoing a health check. Nodules were found in 1,117 (37%). Age and female sex were associated with nodules.',
    kind: null,
    size: 3021,
  },
  {
    field: 'ophthalmology',
    title: 'Atropine 0.01% and myopia progression',
    abstract:
      'In this two-year placebo-controlled trial, children aged 6 to 12 years were randomised 2:1 to atropine or placebo. A total of 250 children were enrolled and 237 completed follow-up. Progression was 0.28 D slower.',
    kind: 'randomized_controlled_trial',
    size: 250,
  },
  {
    field: 'ophthalmology',
    title: 'Intraocular pressure after intravitreal injection',
    abstract:
      'We prospectively examined 58 eyes of 51 patients before and after injection. Pressure returned to baseline within 30 minutes in 93% of eyes.',
    kind: 'cohort',
    size: 51,
  },
  {
    field: 'dermatology',
    title: 'Biologics for psoriasis: a network meta-analysis',
    abstract:
      'We included 158 randomised trials comprising 57,831 participants. IL-17 inhibitors ranked first for PASI 90. Follow-up was mostly short.',
    kind: 'meta_analysis',
    size: 57831,
  },
  {
    field: 'dermatology',
    title: 'Letter: itch after vaccination',
    abstract:
      'To the Editor: We read with interest the cohort study by Lund and colleagues. We wish to comment on the definition of itch.',
    kind: 'editorial',
    size: null,
    publication_types: ['Letter', 'Comment'],
  },
  {
    field: 'rheumatology',
    title: 'Methotrexate and alcohol: data of a registry',
    abstract:
      'Of 11,839 patients in the national register, those drinking more than 21 units a week had a higher incidence of transaminitis. Follow-up was 47,090 person-years.',
    kind: 'cohort',
    size: 11839,
  },
  {
    field: 'geriatrics',
    title: 'Checkpoint inhibitors in older patients: a prospective cohort study',
    abstract:
      'Results: One hundred and forty patients, 70 in each age cohort, were recruited. Twenty-four patients, 12 in each cohort, were interviewed. Quality of life did not differ.',
    kind: 'cohort',
    size: 140,
  },
  {
    field: 'geriatrics',
    title: 'Tai chi and falls',
    abstract:
      'We enrolled 670 adults aged 70 years or older who had fallen in the preceding year and randomised them to tai chi, multimodal exercise or stretching. Falls fell by 58% with tai chi.',
    kind: 'randomized_controlled_trial',
    size: 670,
  },
  {
    field: 'anaesthesia',
    title: 'Awareness under anaesthesia: a national audit',
    abstract:
      'All hospitals reported cases over one year. There were 141 certain or probable cases among an estimated 2.8 million general anaesthetics, an incidence of 1:19,000.',
    kind: null,
    size: null,
  },
  {
    field: 'anaesthesia',
    title: 'Ketamine for acute pain: secondary analysis',
    abstract:
      'This secondary analysis of a randomised trial included the 173 participants with complete pain scores. Ketamine was not superior at 30 minutes.',
    kind: 'randomized_controlled_trial',
    size: 173,
  },
  {
    field: 'veterinary',
    title: 'Lameness in dairy cows: a cross-sectional study of 53 farms',
    abstract:
      'In total, 5,637 cows on 53 farms were scored for locomotion on one visit. The prevalence of lameness was 31.6%.',
    kind: 'cross_sectional',
    size: 5637,
  },
  {
    field: 'veterinary',
    title: 'Analgesia after castration of piglets',
    abstract:
      'Seventy-two male piglets were randomly assigned to meloxicam, lidocaine or saline. Cortisol was lower with lidocaine.',
    kind: 'animal',
    size: 72,
  },
  {
    field: 'toxicology',
    title: 'Titanium dioxide nanoparticles are not clastogenic',
    abstract:
      'People are exposed dermally to nanoparticles. We used a human skin fibroblast cell line to investigate cytotoxicity after 24 h. Treatments of 10, 50 and 100 µg/cm2 induced 97.8, 88.8 and 84.7% relative survival.',
    kind: 'in_vitro',
    size: null,
  },
  {
    field: 'toxicology',
    title: 'Arsenic in rice: exposure of infants',
    abstract:
      'We modelled the intake of arsenic from rice cereals with data of a national dietary survey. Infants at the 95th percentile exceeded the benchmark dose.',
    kind: null,
    size: null,
  },
  {
    field: 'nutrition',
    title: 'Ultra-processed food and mortality',
    abstract:
      'Design: Prospective cohort study.\nSetting: University graduates, 1999-2018.\nParticipants: 19,899 participants (12,113 women and 7,786 men) aged 20 to 91 years.\nResults: During 200,432 person years, 335 deaths occurred.',
    kind: 'cohort',
    size: 19899,
  },
  {
    field: 'nutrition',
    title: 'Fasting mimicking diet: a crossover trial',
    abstract:
      'In a randomised crossover trial 22 healthy volunteers followed a fasting mimicking diet and their usual diet, each for five days, in random order. IGF-1 fell by 24%.',
    kind: 'randomized_controlled_trial',
    size: 22,
  },
  {
    field: 'sports',
    title: 'Compression garments and recovery of runners',
    abstract:
      'Twenty-one marathon runners (15 men, 6 women) wore a stocking on one randomly chosen leg. Soreness did not differ between legs.',
    kind: null,
    size: 21,
  },
  {
    field: 'health services',
    title: 'Costs of hospital-acquired pressure ulcers: a Markov model',
    abstract:
      'We built a Markov model for a hypothetical cohort of 10,000 patients. Prevention cost $1,200 per quality-adjusted life year gained.',
    kind: null,
    size: null,
  },
  {
    field: 'health services',
    title: 'Telephone triage by nurses: a non-randomised controlled trial',
    abstract:
      'Four practices introduced triage and four did not; allocation was not randomised. Records of 3,288 callers were compared. Visits fell by 14%.',
    kind: 'clinical_trial',
    size: 3288,
  },
  {
    field: 'palliative care',
    title: 'What matters at the end of life',
    abstract:
      'Background: Previous surveys and one randomised trial focused on physicians.\nMethods: We conducted in-depth interviews with 19 patients and 16 relatives. Interpretative phenomenological analysis was used.\nFindings: Being known was central.',
    kind: 'qualitative',
    size: 35,
  },
  {
    field: 'emergency',
    title: 'Point-of-care ultrasound in blunt trauma',
    abstract:
      'A retrospective cohort of 1,127 adults with blunt trauma was identified; 96 were excluded for missing scans, leaving 1,031 patients for analysis. Sensitivity was 68%.',
    kind: 'cohort',
    size: 1031,
  },
  {
    field: 'radiology',
    title: 'Deep learning for fracture detection: diagnostic accuracy',
    abstract:
      'We trained a network on 31,490 radiographs and tested it on 3,061 radiographs of 1,846 patients. The area under the curve was 0.97.',
    kind: null,
    size: null,
  },
  {
    field: 'urology',
    title: 'Sacral neuromodulation for refractory overactive bladder',
    abstract:
      'Patients implanted at two centres were followed up for five years. At implantation n = 86; 61 were available at five years. Success was 67%.',
    kind: 'cohort',
    size: 86,
  },
  {
    field: 'haematology',
    title: 'CAR-T cells in relapsed myeloma: a phase 1/2 single-arm study',
    abstract:
      'In this phase 1b/2 study, 97 patients received a single infusion. The overall response was 97%. Cytokine release syndrome occurred in 92 patients.',
    kind: 'clinical_trial',
    size: 97,
  },
  {
    field: 'immunology',
    title: 'Peanut oral immunotherapy',
    abstract:
      'Phase 3 trial: 551 participants with peanut allergy underwent randomization, of whom 496 were 4 to 17 years of age. Of these, 250 of 372 participants (67.2%) given active treatment tolerated 600 mg.',
    kind: 'randomized_controlled_trial',
    size: 551,
  },
  {
    field: 'sleep',
    title: 'Shift work and sleep of nurses',
    abstract:
      'Data of 37 night-shift nurses were compared with 41 day-shift nurses by actigraphy for 14 days. Night-shift nurses slept 62 minutes less.',
    kind: null,
    size: 78,
  },
  {
    field: 'dental public health',
    title: 'Sugar taxes: a commentary',
    abstract:
      'In this commentary we consider sugar taxes. A natural experiment in one country was followed by a fall of 5% in purchases.',
    kind: 'editorial',
    size: null,
  },
]
