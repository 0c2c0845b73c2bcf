/** Whether a message is whole sentences: none of its parts is missing. */
export function isReadable(message: string): boolean {
  return /^\w.{18,}[\w)”"][.?]$/s.test(message) && !/ {2}| [.,;:?]|""/.test(message)
}
