// Light, dark, or as the system has it.
const THEMES = ["", "light", "dark"];
const NAMES = {"": "as the system", light: "light", dark: "dark"};
const themeButton = byId("theme");

function showTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  themeButton.textContent = `Theme: ${NAMES[theme]}`;
}

themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  const now = document.documentElement.dataset.theme || "";
  showTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
});
