// Runs inside a frame of its own, without origin and without network: shows what it is sent and tells its height.
(() => {
  const kind = location.pathname.split("/").pop();
  const tell = () => parent.postMessage({ height: document.documentElement.getBoundingClientRect().height }, "*");

  const showings = {
    // Scripts are taken out, and the policy would not run them either.
    still(content) {
      document.body.innerHTML = DOMPurify.sanitize(String(content), {
        FORCE_BODY: true,
        ADD_TAGS: ["style"],
        FORBID_TAGS: ["form", "link", "meta", "base"],
        ALLOWED_URI_REGEXP: /^(data:image\/|#)/i,
      });
    },
    live(content) {
      const range = document.createRange();
      range.selectNode(document.body);
      const fragment = range.createContextualFragment(String(content));
      // They would lead the frame away, to where the page's policy lets it not go.
      for (const leading of fragment.querySelectorAll("meta, base")) leading.remove();
      document.body.replaceChildren(fragment);
    },
    plotly(content, theme) {
      const box = document.createElement("div");
      document.body.replaceChildren(box);
      const dark = theme === "dark";
      const layout = { ...content.layout };
      if (dark) {
        Object.assign(layout, {
          template: undefined,
          paper_bgcolor: "#171b22",
          plot_bgcolor: "#171b22",
          font: { ...layout.font, color: "#e6e9ef" },
        });
        for (const axis of ["xaxis", "yaxis"])
          layout[axis] = { gridcolor: "#2a313c", zerolinecolor: "#2a313c", ...layout[axis] };
      }
      Plotly.newPlot(
        box,
        content.data ?? [],
        { autosize: true, height: 420, ...layout, width: undefined },
        { responsive: true, displaylogo: false },
      );
    },
  };

  addEventListener("message", (event) => {
    if (event.source !== parent) return;
    const { content, theme } = event.data ?? {};
    document.documentElement.dataset.theme = theme === "dark" ? "dark" : "light";
    showings[kind]?.(content, theme);
    tell();
  });
  new ResizeObserver(tell).observe(document.documentElement);
  parent.postMessage("ready", "*");
})();
