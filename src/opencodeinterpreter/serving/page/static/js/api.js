/** Asks the server. The token came in the link's fragment, which no server and no log ever sees. */
import { t } from "./words.js";

const BASE = "/api/v1";
let token = "";

/** What the server refused, in words that a person can use. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Take the token out of the address, where it would be copied along, and keep it for this origin. The browser is
 * started with a ticket in the token's place, which is good for one use.
 */
export async function takeToken() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("token") ?? (fragment.get("ticket") ? await exchanged(fragment.get("ticket")) : null);
  if (given) localStorage.setItem("token", given);
  fragment.delete("token");
  fragment.delete("ticket");
  history.replaceState(null, "", location.pathname + (fragment.size ? `#${fragment}` : ""));
  token = localStorage.getItem("token") ?? "";
  return Boolean(token);
}

async function exchanged(ticket) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    credentials: "omit",
    body: JSON.stringify({ ticket }),
  };
  const response = await fetch("/ticket", options).catch(() => null);
  return response?.ok ? (await response.json()).token : null;
}

export function forgetToken() {
  localStorage.removeItem("token");
  token = "";
}

export const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});
export const address = (path) => BASE + path;

/** Ask for something and return what was answered; JSON both ways. */
export async function ask(method, path, body) {
  const options = { method, headers: headers(), credentials: "omit", cache: "no-store" };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await reached(address(path), options);
  if (!response.ok) throw await refusal(response);
  return response.status === 204 ? null : response.json();
}

async function reached(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new ApiError(t("no connection"), 0);
  }
}

/** Turn a refused response into an error with its sentence. */
export async function refusal(response) {
  let message = `${response.status} ${response.statusText}`;
  try {
    const body = await response.json();
    const told = body.error?.message ?? body.detail ?? body.message;
    if (typeof told === "string") message = told;
  } catch {
    // Not JSON: the status has to do.
  }
  return new ApiError(message, response.status);
}

/** Send files into a session's workspace; `progress` is told the part that has gone, 0 to 1. */
export function upload(path, files, progress = () => {}) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const file of files) form.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", address(path));
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(new ApiError(t("no connection"), 0));
    request.onload = async () => {
      const response = new Response(request.responseText, { status: request.status, statusText: request.statusText });
      if (response.ok) resolve(await response.json());
      else reject(await refusal(response));
    };
    request.send(form);
  });
}

/** Fetch something of the server's; it counts as what is expected here, whatever the server calls it. */
export async function blob(path, type = "application/octet-stream") {
  const response = await reached(address(path), { headers: headers(), credentials: "omit", cache: "no-store" });
  if (!response.ok) throw await refusal(response);
  return new Blob([await response.arrayBuffer()], { type });
}

/** Save something of the server's as a file of this name. */
export async function download(path, name) {
  save(await blob(path), name);
}

/** Hand a file to the browser. The type is plain bytes, so that the browser never opens it in this origin. */
export function save(content, name) {
  const url = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  saveLink(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Let the browser save what lies at an address of ours. */
export function saveLink(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name.split("/").pop();
  link.click();
}
