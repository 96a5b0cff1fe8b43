/** The door: without a token nothing can be had, and it is in the link that the terminal shows. */
import { forgetToken } from "./api.js";
import { byId } from "./dom.js";

/** Show the door alone, and why. */
export function gate(problem = "") {
  forgetToken();
  byId("app").hidden = true;
  byId("gate").hidden = false;
  byId("gate-problem").textContent = problem;
  byId("gate-field").focus();
}

byId("gate").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = byId("gate-field").value.trim();
  const token = given.includes("#") ? new URLSearchParams(given.split("#")[1]).get("token") : given;
  location.hash = `token=${encodeURIComponent(token ?? "")}`;
  location.reload();
});
