/** Eight rows of different lengths, some in characters of several bytes, so that cuts fall inside them. */
export const validationTexts: readonly string[] = [
  "Call me Ishmael. Some years ago, never mind how long precisely, I thought I would sail about a little.",
  "Short.",
  "話說天下大勢，分久必合，合久必分。周末七國分爭，并入於秦。",
  "",
  "It is a way I have of driving off the spleen and regulating the circulation.",
  "Naïve cafés 🐋 and a white whale 🐳 under a déjà-vu of moonlight: señor, où est le bâteau?",
  "There now is your insular city of the Manhattoes, belted round by wharves as Indian isles by coral reefs.",
  "Go from Corlears Hook to Coenties Slip, and from thence, by Whitehall, northward. What do you see?",
];
