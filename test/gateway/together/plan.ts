/** Records that no worker can do anything with: all reject them. */
export const isHopeless = (record: number): boolean => record % 41 === 7
