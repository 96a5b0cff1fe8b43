// Colours for Python, done when a program is shown: doing it for every record beforehand takes minutes.
const TOKEN = new RegExp([
  String.raw`(?<c>#[^\n]*)`,
  String.raw`(?<s>(?:\b[rbfuRBFU]{1,2})?(?:"""[^]*?(?:"""|$)|` + String.raw`'''[^]*?(?:'''|$)|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?))`,
  String.raw`(?<f>(?<=\b(?:def|class)\s+)\w+|@[\w.]+)`,
  String.raw`(?<k>\b(?:False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)\b)`,
  String.raw`(?<b>(?<!\.)\b(?:abs|all|any|bin|bool|bytes|chr|complex|dict|divmod|enumerate|filter|float|frozenset|hash|hex|int|isinstance|iter|len|list|map|max|min|next|object|ord|pow|print|range|repr|reversed|round|self|set|sorted|str|sum|super|tuple|type|zip|\w+Error|Exception)\b)`,
  String.raw`(?<n>\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][-+]?\d+)?j?)\b)`,
].join("|"), "g");

/** Return the lines of a program, each as [class, text, class, text, …]; the texts joined are the line. */
function highlighted(code) {
  const lines = [[]];
  const add = (kind, text) => text.split("\n").forEach((piece, number) => {
    if (number) lines.push([]);
    if (piece) lines.at(-1).push(kind, piece);
  });
  let end = 0;
  for (const match of code.matchAll(TOKEN)) {
    add("", code.slice(end, match.index));
    const [kind] = Object.entries(match.groups).find(([, text]) => text !== undefined);
    add(kind, match[0]);
    end = match.index + match[0].length;
  }
  add("", code.slice(end));
  return lines;
}
