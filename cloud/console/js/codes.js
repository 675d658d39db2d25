// Which of a scheme's codes a person means by what they type. Pure.

// The codes that may be entered, those that fit first: the code as typed, then codes that begin with it, then those whose
// words each begin with a word that was typed. An event never stands, so nobody may enter one.
export function codesFor(text, codes) {
  const standing = codes.filter((code) => code.class !== null);
  const typed = text.trim().toLowerCase();
  if (!typed) return standing;
  const words = typed.split(/\s+/);
  const rankOf = (code) => {
    const own = code.code.toLowerCase();
    if (own === typed) return 0;
    if (own.startsWith(typed)) return 1;
    const said = code.label.toLowerCase().split(/[^\p{L}\p{N}]+/u);
    return words.every((word) => said.some((one) => one.startsWith(word))) ? 2 : 3;
  };
  return standing.map((code) => ({ code, rank: rankOf(code) }))
    .filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .map(({ code }) => code);
}
