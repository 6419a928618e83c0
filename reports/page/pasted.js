// A printed table to paste: Markdown with one row of headings, LaTeX that needs booktabs alone.
(function () {
  "use strict";
  const lossnets = window.lossnets;
  const tidy = (node) => (node ? node.textContent.trim().replace(/\s+/g, " ") : "");

  // A cell with a remark, "2.25 (2.50)†", is two.
  function parts(cell) {
    const remark = cell.querySelector("small");
    const said = cell.cloneNode(true);
    said.querySelectorAll("small").forEach((small) => small.remove());
    const about = { best: cell.classList.contains("best"), top: cell.classList.contains("top") };
    const first = { text: tidy(said), ...about };
    return cell.matches("td.remarks") ? [first, { text: tidy(remark) }] : [{ ...first, text: tidy(cell) }];
  }

  // {spans: [[label, width]], heads: [text], body: [[cell]], right: [bool]} of a printed table,
  // all its rows, in the order in which they stand.
  function printed(exhibit) {
    const figure = document.getElementById(exhibit);
    const table = figure.querySelector("table.grid");
    const rows = [...table.tHead.rows];
    const columns = [...rows.at(-1).cells];
    const twice = columns.map((head) => head.matches(".remarks"));
    const heads = columns.flatMap((head, i) => (twice[i] ? [tidy(head), `${tidy(head)} remark`] : [tidy(head)]));
    let at = 0;
    const spans = (rows.length > 1 ? [...rows[0].cells] : []).map((head) => {
      const width = twice.slice(at, (at += head.colSpan)).reduce((sum, two) => sum + (two ? 2 : 1), 0);
      return [tidy(head), width];
    });
    const lines = lossnets.allRows ? lossnets.allRows(figure) : [...table.tBodies].flatMap((body) => [...body.rows]);
    const body = lines
      .filter((row) => !row.matches(".group, .panel"))
      .map((row) => [...row.cells].flatMap((cell, i) => (twice[i] && !cell.matches("td.remarks") ? [...parts(cell), { text: "" }] : parts(cell))));
    const right = columns.flatMap((head, i) => (twice[i] ? [true, false] : [head.matches(".number")]));
    return { spans, heads, body, right };
  }

  lossnets.toMarkdown = function (exhibit) {
    const { spans, heads, body, right } = printed(exhibit);
    const above = spans.flatMap(([label, width]) => Array(width).fill(label));
    const safe = (text) => text.replace(/([\\|*_`<])/g, "\\$1");
    const line = (cells) => `| ${cells.join(" | ")} |\n`;
    return [
      line(heads.map((head, i) => safe([above[i], head].filter(Boolean).join(" ")))),
      line(right.map((on) => (on ? "---:" : "---"))),
      ...body.map((row) => line(row.map(({ text, best }) => (best && text ? `**${safe(text)}**` : safe(text))))),
    ].join("");
  };

  function sign(character) {
    const { signs, accents } = lossnets.latex;
    if (character in signs) return signs[character];
    if (character.codePointAt(0) < 128) return character;
    const [base, ...marks] = [...character.normalize("NFD")];
    if (marks.length === 1 && base.codePointAt(0) < 128 && marks[0] in accents) return `\\${accents[marks[0]]}{${base}}`;
    const plain = character.normalize("NFKC");
    const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    return /^[A-Za-z0-9]+$/.test(plain) ? plain : `{[}U+${code}{]}`;
  }
  const latex = (text) => [...text.normalize("NFC")].map(sign).join("");

  lossnets.toLatex = function (exhibit) {
    const { spans, heads, body, right } = printed(exhibit);
    const line = (cells) => `${cells.join(" & ")} \\\\\n`;
    let at = 1;
    const rules = [];
    const above = spans.map(([label, width]) => {
      if (label && width > 1) rules.push(`\\cmidrule(lr){${at}-${at + width - 1}}`);
      at += width;
      return label ? `\\multicolumn{${width}}{c}{${latex(label)}}` : Array(width).fill("").join(" & ");
    });
    const cell = ({ text, best, top }) => {
      let content = latex(text);
      if (best && content) content = `\\textbf{${content}}`;
      return top && content ? `\\underline{${content}}` : content;
    };
    return [
      `\\begin{tabular}{${right.map((on) => (on ? "r" : "l")).join("")}}\n\\toprule\n`,
      spans.length ? line(above) + rules.join(" ") + "\n" : "",
      line(heads.map(latex)),
      "\\midrule\n",
      ...body.map((row) => line(row.map(cell))),
      "\\bottomrule\n\\end{tabular}\n",
    ].join("");
  };
})();
