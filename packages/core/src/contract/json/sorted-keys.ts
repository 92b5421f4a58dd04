/** Keys of the object in canonical order: `<` compares UTF-16 code units, which is the order that RFC 8785 asks for. Most objects come sorted. */
export function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  const size = keys.length;
  for (let index = 1; index < size; index++) {
    if ((keys[index - 1] as string) > (keys[index] as string))
      return size > 16 ? keys.sort() : insertionSort(keys, index);
  }
  return keys;
}

function insertionSort(keys: string[], from: number): string[] {
  for (let index = from; index < keys.length; index++) {
    const key = keys[index] as string;
    let hole = index;
    for (let before = keys[hole - 1]; before !== undefined && before > key; before = keys[hole - 1])
      keys[hole--] = before;
    keys[hole] = key;
  }
  return keys;
}
