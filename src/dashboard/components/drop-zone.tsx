import { useRef, useState } from 'preact/hooks';
import { toast } from './toasts.tsx';

interface DropZoneProps {
  readonly maxBytes: number;
  /** The name of the file that is being checked. */
  readonly busy: string | undefined;
  readonly onFile: (file: File) => void;
}

const megabytes = (bytes: number): string => `${Math.floor(bytes / 1_048_576)} MB`;

/** Takes one file: dropped on it, or chosen with it. */
export function DropZone({ maxBytes, busy, onFile }: DropZoneProps) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (file: File | undefined): void => {
    if (!file) return;
    if (file.size > maxBytes) toast(`${file.name} is larger than ${megabytes(maxBytes)}. Split it.`, 'bad');
    else onFile(file);
    if (input.current) input.current.value = '';
  };
  return (
    <label
      class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files[0]);
      }}
    >
      <input
        ref={input}
        type="file"
        accept=".csv,.txt,.xlsx"
        disabled={busy !== undefined}
        onChange={(event) => take(event.currentTarget.files?.[0])}
      />
      <span class="strong">
        {busy === undefined ? 'Drop a file here, or choose one' : `Checking ${busy}…`}
      </span>
      <span class="muted">CSV or Excel, up to {megabytes(maxBytes)}</span>
    </label>
  );
}
