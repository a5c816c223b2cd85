/** What the charts say, in both languages; whoever makes charts hands one of the two tables over. */

/** @typedef {{ readonly [Key in keyof typeof chartWords.en]: string }} ChartWords */

export const chartWords = /** @type {const} */ ({
  en: {
    loss: "Loss",
    learningRate: "Learning rate",
    gradientNorm: "Gradient norm",
    speed: "Speed",
    tokensPerSecond: "tokens/s",
  },
  zh: {
    loss: "损失",
    learningRate: "学习率",
    gradientNorm: "梯度范数",
    speed: "速度",
    tokensPerSecond: "token/秒",
  },
});
