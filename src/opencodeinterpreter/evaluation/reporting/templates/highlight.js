// What is coloured in Python.
const PYTHON = new RegExp([
  String.raw`(?<c>#[^\n]*)`,
  String.raw`(?<s>(?:\b[rbfuRBFU]{1,2})?(?:"""[^]*?(?:"""|$)|` + String.raw`'''[^]*?(?:'''|$)|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?))`,
  String.raw`(?<f>(?<=\b(?:def|class)\s+)\w+|@[\w.]+)`,
  String.raw`(?<k>\b(?:False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)\b)`,
  String.raw`(?<b>(?<!\.)\b(?:abs|all|any|bin|bool|bytes|chr|complex|dict|divmod|enumerate|filter|float|frozenset|hash|hex|int|isinstance|iter|len|list|map|max|min|next|object|ord|pow|print|range|repr|reversed|round|self|set|sorted|str|sum|super|tuple|type|zip|\w+Error|Exception)\b)`,
  String.raw`(?<n>\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][-+]?\d+)?j?)\b)`,
].join("|"), "g");
