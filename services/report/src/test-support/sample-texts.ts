/** Test support: ten samples, among them texts of three scripts and one that was cut inside a character. */
const texts: readonly (readonly [input: string, predicted: string, truth: string])[] = [
  [
    "The Austroasiatic languages, in recent classifications synonymous with Mon–Khmer, are",
    " a large family of the same sea, and the",
    " a large language family of continental Southeast Asia",
  ],
  [
    "Ayn Rand (/ˈaɪn ˈrænd/; born Alisa Zinov'yevna Rosenbaum, Russian: Али́са Зино́вьевна Розенба",
    "дубинтевека) is the father of Edward",
    "ум; February 2 [O.S. January 20] 1905 – March 6, 1982)",
  ],
  [
    "Apollo (Attic, Ionic, and Homeric Greek: Ἀπόλλων, Apollōn; Doric: Ἀπέλλων, Apellōn; Cy",
    "an Greek: Leὒmaḥs, 246. Chronik Ἀπικελανή",
    "priot: Ἀπείλων, Apeilōn; Aeolic: Ἄπλουν, Aploun",
  ],
  [
    "Call me Ishmael. Some years ago—never mind how long precisely—",
    "having been a whale, and the sea was",
    "having little or no money in my purse",
  ],
  [
    "It was the devious-cruising Rachel, that in her retracing search",
    " of the ship, and the captain's",
    " after her missing children, only found another orphan.",
  ],
  [
    '"Avast!" roared Ahab,\n"what is it?"',
    " said Stubb, \"it's a whale",
    " cried the captain | of the *Pequod* <ship>",
  ],
  ["白鲸记是美国作家赫尔曼·梅尔维尔的小说,", "故事的主人公是一个人,他在海上", "讲述了亚哈船长追逐白鲸的故事\uFFFD"],
  [
    "There are certain queer times and occasions in this strange mixed affair",
    " of the whale, when the",
    " we call life when a man takes this whole universe",
  ],
  [
    "Now, in general, Stick to the boat, is your true motto in whaling;",
    " and so the boat was",
    " but cases will sometimes happen when Leap from the boat",
  ],
  ["The sea had jeeringly kept his finite body up,", " and the waves were", " but drowned the infinite of his soul."],
];

export const samples = texts.map(([inputText, predictedText, trueText]) => ({ inputText, predictedText, trueText }));
