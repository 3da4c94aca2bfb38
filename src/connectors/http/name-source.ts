/** How an error names a source: its setting, scheme and host. Path, query and user are left out, since report addresses carry secrets there. */
export function nameSource(setting: string, url: URL): string {
  return `${setting} (${url.protocol}//${url.host})`;
}
