/** Forty held-out abstracts: labelled with the others, but used only to measure, never to write a rule. */
import type { Labelled } from './labelled.ts'

export const HELD_OUT: readonly Labelled[] = [
  {
    field: 'cardiology',
    title: 'Colchicine after myocardial infarction',
    abstract:
      'Methods: We performed a randomized, double-blind trial involving patients recruited within 30 days after a myocardial infarction.\nResults: A total of 4745 patients were enrolled; 2366 were assigned to colchicine and 2379 to placebo. The median follow-up was 22.6 months.',
    kind: 'randomized_controlled_trial',
    size: 4745,
  },
  {
    field: 'cardiology',
    title: 'Aortic stenosis and air pollution',
    abstract:
      'We conducted a nested case-control study within a regional screening programme: 372 cases were matched to 1,488 controls. Fine particles were associated with stenosis (OR 1.18).',
    kind: 'case_control',
    size: 1860,
  },
  {
    field: 'oncology',
    title: 'Proton therapy of chordoma: long-term outcomes',
    abstract:
      'Between 1998 and 2012, 151 patients with skull-base chordoma were treated at our institution. Records were reviewed retrospectively. Local control at 7 years was 71%; grade 3 toxicity occurred in 9 patients.',
    kind: 'cohort',
    size: 151,
  },
  {
    field: 'oncology',
    title: 'Exercise during chemotherapy: protocol for a pragmatic randomised controlled trial',
    abstract:
      'Background: Fatigue affects up to 80% of patients.\nMethods: The trial will recruit 266 women with early breast cancer who will be allocated to supervised exercise or usual care.\nDiscussion: Results are expected in 2026.',
    kind: 'protocol',
    size: 266,
  },
  {
    field: 'oncology',
    title: 'Circular RNA promotes invasion of gastric cancer',
    abstract:
      'circABC was upregulated in tissues of 64 patients. Knockdown in AGS and MKN-45 cells reduced invasion in transwell assays, and growth of xenografts in nude mice was slower. The sponge effect on miR-1 was confirmed by luciferase assays.',
    kind: null,
    size: null,
  },
  {
    field: 'psychiatry',
    title: 'Lithium and suicide: systematic review',
    abstract:
      'Objective: To assess lithium for the prevention of suicide.\nData sources: MEDLINE, Embase and trial registers to 2020.\nResults: 48 randomised controlled trials (6674 participants, 15 comparisons) were included. Evidence was of low certainty.',
    kind: 'systematic_review',
    size: 6674,
  },
  {
    field: 'psychiatry',
    title: 'First-episode psychosis and cannabis',
    abstract:
      'Patients with a first episode (n = 410) were compared with population controls (n = 370) in a case-control design. Daily use of high-potency cannabis was more common in patients.',
    kind: 'case_control',
    size: 780,
  },
  {
    field: 'psychology',
    title: 'Anchoring with incidental numbers: a replication',
    abstract:
      'Two hundred and fourteen undergraduates took part. They were randomly assigned to a high or a low number before estimating a price. We found no effect of the number, d = 0.02.',
    kind: 'randomized_controlled_trial',
    size: 214,
  },
  {
    field: 'psychology',
    title: 'Rumination mediates stress and insomnia',
    abstract:
      'Self-report questionnaires were completed by 486 university students in a cross-sectional design. Mediation analysis showed an indirect effect of 0.12.',
    kind: 'cross_sectional',
    size: 486,
  },
  {
    field: 'education',
    title: 'Phonics and later reading: a longitudinal study',
    abstract:
      'We followed 1,103 children from the age of five until the end of primary school. Early decoding predicted comprehension six years later.',
    kind: 'cohort',
    size: 1103,
  },
  {
    field: 'education',
    title: 'Simulation in nurse education: an integrative review',
    abstract:
      'Aim: To synthesise the literature on simulation.\nMethods: An integrative review of 33 papers.\nFindings: Confidence improved in most studies; effects on patients are unknown.',
    kind: 'review',
    size: null,
  },
  {
    field: 'nursing',
    title: 'Living with a stoma',
    abstract:
      'A descriptive phenomenological approach was taken. Fifteen adults with a permanent stoma were interviewed. Four themes described a changed body and a changed life.',
    kind: 'qualitative',
    size: 15,
  },
  {
    field: 'nursing',
    title: 'Pain after knee replacement: effect of cold therapy',
    abstract:
      'Design: A single-blind randomised controlled trial. Methods: Patients were allocated to cold therapy (n=48) or no cold therapy (n=47). Results: Pain on day 2 was lower with cold therapy.',
    kind: 'randomized_controlled_trial',
    size: 95,
  },
  {
    field: 'infectious disease',
    title: 'Leptospirosis in a kayaker',
    abstract:
      'We describe a 52-year-old man with jaundice and renal failure after kayaking in flooded rivers. Leptospira was detected by PCR. He was discharged after 16 days.',
    kind: 'case_report',
    size: 1,
  },
  {
    field: 'infectious disease',
    title: 'Seroprevalence of hepatitis E in blood donors',
    abstract:
      'Over 5 million donations are given in the country each year. In this cross-sectional study 10,011 donors from eight regions were tested. IgG was found in 1,401 (14.0%).',
    kind: 'cross_sectional',
    size: 10011,
  },
  {
    field: 'infectious disease',
    title: 'Phage therapy: where do we stand?',
    abstract:
      'Phages are gaining interest as antibiotics fail. Here we review mechanisms, animal studies, and the few randomised trials in humans, and discuss regulation.',
    kind: 'review',
    size: null,
  },
  {
    field: 'obstetrics',
    title: 'Aspirin for the prevention of pre-eclampsia',
    abstract:
      'In this multicentre, double-blind, placebo-controlled trial, we randomly assigned 1776 women at high risk to 150 mg of aspirin or placebo. Preterm pre-eclampsia occurred in 13 participants (1.6%) and 35 (4.3%).',
    kind: 'randomized_controlled_trial',
    size: 1776,
  },
  {
    field: 'obstetrics',
    title: 'Caesarean section and childhood asthma: register-based cohort',
    abstract:
      'All 1,193,100 children born between 1997 and 2012 were identified in national registers. 35,613 were born by elective section. The hazard ratio for asthma was 1.2.',
    kind: 'cohort',
    size: 1193100,
  },
  {
    field: 'paediatrics',
    title: 'Kangaroo care: WHO recommendations',
    abstract:
      'These recommendations were developed by a panel that considered 203 trials. We recommend kangaroo care for all preterm infants, beginning at birth. This guideline replaces that of 2015.',
    kind: 'guideline',
    size: null,
  },
  {
    field: 'surgery',
    title: 'Antibiotics or surgery for appendicitis: individual patient data meta-analysis',
    abstract:
      'Six trials with 2,101 adults contributed data. One third of those given antibiotics had surgery within a year. No difference in complications was found.',
    kind: 'meta_analysis',
    size: 2101,
  },
  {
    field: 'pharmacology',
    title: 'Resveratrol prevents bone loss in ovariectomised rats',
    abstract:
      'Sixty female Wistar rats aged 12 weeks were allocated to sham surgery, ovariectomy, or ovariectomy plus resveratrol (n = 20 per group). Bone density was preserved with resveratrol.',
    kind: 'animal',
    size: 60,
  },
  {
    field: 'pharmacology',
    title: 'Zebrafish screening identifies cardioprotective compounds',
    abstract:
      'Zebrafish embryos were exposed to 1,280 approved drugs with doxorubicin. Visnagin rescued cardiac function. It also protected mice and cultured cardiomyocytes.',
    kind: 'animal',
    size: null,
  },
  {
    field: 'dentistry',
    title: 'Marginal fit of milled and printed crowns',
    abstract:
      'Forty crowns were fabricated on a typodont and assigned to milling or printing (n = 20). Marginal gaps were measured under a stereomicroscope. Printed crowns fitted better.',
    kind: 'in_vitro',
    size: null,
  },
  {
    field: 'dentistry',
    title: 'Cytotoxicity of bioceramic sealers on stem cells in vitro',
    abstract:
      'Human periodontal ligament stem cells were cultured with extracts of four sealers. Viability was measured by MTT assay at 24, 48 and 72 hours. One sealer was toxic undiluted.',
    kind: 'in_vitro',
    size: null,
  },
  {
    field: 'ecology',
    title: 'Pollinator visits and landscape: a global synthesis',
    abstract:
      'In a meta-analysis of 89 studies of 34 crops, visits declined with distance from natural habitat. Stability of visitation fell by 25% at 1 km.',
    kind: 'meta_analysis',
    size: null,
  },
  {
    field: 'ecology',
    title: 'Effects of microplastics on mussels',
    abstract:
      'Mussels (n = 90) were exposed to polyethylene beads in aquaria for 52 days. Tenacity fell by 50%. Haemolymph proteomes changed.',
    kind: 'animal',
    size: 90,
  },
  {
    field: 'economics',
    title: 'Microcredit and household income: evidence from randomised evaluations',
    abstract:
      'We randomised the placement of branches over 104 neighbourhoods and surveyed 6,863 households after three years. Consumption did not rise. Business creation did.',
    kind: 'randomized_controlled_trial',
    size: 6863,
  },
  {
    field: 'economics',
    title: 'Trade shocks and mortality',
    abstract:
      'Exploiting variation in exposure to imports over 722 commuting zones, we find that deaths by overdose rise. The effect is largest among young men. Results survive a battery of checks.',
    kind: null,
    size: null,
  },
  {
    field: 'computer science',
    title: 'Code review at scale: an interview study',
    abstract:
      'We interviewed 12 developers and analysed 9 million reviewed changes. Expectations differ by relation of author and reviewer. Thematic coding was used for the interviews.',
    kind: 'qualitative',
    size: 12,
  },
  {
    field: 'physics',
    title: 'Monte Carlo study of random-field magnets',
    abstract:
      'We simulate the three-dimensional random-field Ising model for sizes up to 192. The exponent ν = 1.38(10) is found. Averages are over 10 million samples.',
    kind: null,
    size: null,
  },
  {
    field: 'law',
    title: 'Plea bargaining: a systematic review of experimental research',
    abstract:
      'We systematically reviewed vignette experiments on plea decisions published since 1990. Of 1,330 hits, 41 articles with 22,000 participants were eligible. Innocence lowered acceptance.',
    kind: 'systematic_review',
    size: 22000,
  },
  {
    field: 'sociology',
    title: 'Neighbourhood ties in later life',
    abstract:
      'A representative sample of 2,048 residents aged 60 and over was interviewed once by telephone. Ties were denser in small towns. We call for longitudinal research.',
    kind: 'cross_sectional',
    size: 2048,
  },
  {
    field: 'endocrinology',
    title: 'Continuous glucose monitoring in type 2 diabetes',
    abstract:
      'This open-label randomised clinical trial enrolled 175 adults treated with basal insulin at 15 centres (116 monitoring, 59 meter). HbA1c fell by 1.1% and 0.6%.',
    kind: 'randomized_controlled_trial',
    size: 175,
  },
  {
    field: 'endocrinology',
    title: 'Adrenal incidentaloma: European guidelines',
    abstract:
      'These guidelines provide clinicians with evidence-based recommendations. Four systematic reviews were carried out. We recommend a low-dose dexamethasone test in every patient.',
    kind: 'guideline',
    size: null,
  },
  {
    field: 'dermatology',
    title: 'Dupilumab in daily practice',
    abstract:
      'Prospective observational study of 138 adults with atopic dermatitis starting dupilumab in 2018 and followed for 52 weeks. EASI-75 was reached by 59.9%. Conjunctivitis occurred in 34%.',
    kind: 'cohort',
    size: 138,
  },
  {
    field: 'rheumatology',
    title: 'Gout flares and weather: a case-crossover study',
    abstract:
      'In total 632 participants reported 1,343 flares online. Hot and dry days were associated with flares (OR 1.4). Data were linked to the nearest weather station.',
    kind: null,
    size: 632,
  },
  {
    field: 'health services',
    title: 'Pay for performance: time to stop?',
    abstract:
      'This editorial considers two decades of pay for performance. Cohort studies suggest small effects; the only large randomised trial found none.',
    kind: 'editorial',
    size: null,
    publication_types: ['Editorial'],
  },
  {
    field: 'health services',
    title: 'Walking aids returned to hospital: quality improvement',
    abstract:
      'We placed collection bins at three entrances and sent reminders. Returns rose from 21% to 61% over six months. Savings were £25,000.',
    kind: null,
    size: null,
  },
  {
    field: 'haematology',
    title: 'Ibrutinib in Waldenström macroglobulinaemia',
    abstract:
      'We performed a prospective, single-arm phase 2 trial of ibrutinib in 63 symptomatic patients who had received at least one previous treatment. The response rate was 90.5%.',
    kind: 'clinical_trial',
    size: 63,
  },
  {
    field: 'sports',
    title: 'Injury in youth football: a season of 17 teams',
    abstract:
      'Players of 17 teams (n = 312) were observed prospectively for one season. There were 2.1 injuries per 1,000 hours. Most affected the ankle.',
    kind: 'cohort',
    size: 312,
  },
]
