// Package law holds the numbers and the codes that the law of public contracts is made of: limits that change with the
// date (Load, Table.On, Limits.Get), money in euro cents (Cents), and the codes that acts must carry (CIG, CUP, CUI,
// tax codes, NUTS, CPV, IPA, Belfiore, ISTAT, SOA).
//
// It is pure: no clock, no files, no network. It does not hold the numbers themselves, which stand in
// workflows/law/limits.yaml, nor does it count terms (package calendar does) or compute scores and guarantees (package
// evaluation). Packages flow and engine ask it which limits exist and what they are on the rules date of a case.
package law
