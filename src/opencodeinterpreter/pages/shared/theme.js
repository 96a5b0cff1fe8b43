// Light, dark, or as the system has it: the button #theme, which is hidden where there are no scripts.
const THEMES = ["", "light", "dark"];
const themeButton = byId("theme");

themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme || "") + 1) % THEMES.length];
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  themeButton.textContent = `Theme: ${theme || "as the system"}`;
});
