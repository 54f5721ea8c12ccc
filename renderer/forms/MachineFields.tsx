import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import { deviceNames, type DeviceName } from '../../core/contract/run.ts';

const deviceTitles: Readonly<Record<DeviceName, string>> = {
  auto: 'Best there is',
  cpu: 'Processor',
  cuda: 'CUDA',
  webgpu: 'WebGPU',
};

interface DeviceFieldProps {
  readonly value: DeviceName;
  readonly onChange: (device: DeviceName) => void;
}

export function DeviceField({ value, onChange }: DeviceFieldProps) {
  return (
    <TextField
      select
      label="Device"
      value={value}
      onChange={({ target }) => onChange(deviceNames.find((name) => name === target.value) ?? 'auto')}
    >
      {deviceNames.map((name) => (
        <MenuItem key={name} value={name}>
          {deviceTitles[name]}
        </MenuItem>
      ))}
    </TextField>
  );
}

interface ThreadsFieldProps {
  readonly text: string;
  readonly placeholder: string;
  readonly isWrong: boolean;
  readonly helperText?: string;
  readonly onChange: (text: string) => void;
  /** The typing has ended. */
  readonly onEnd?: () => void;
}

export function ThreadsField({ text, placeholder, isWrong, helperText, onChange, onEnd }: ThreadsFieldProps) {
  return (
    <TextField
      label="Threads"
      value={text}
      error={isWrong}
      placeholder={placeholder}
      helperText={helperText}
      onChange={({ target }) => onChange(target.value.trim())}
      onBlur={() => onEnd?.()}
      onKeyDown={({ key }) => key === 'Enter' && onEnd?.()}
      slotProps={{ htmlInput: { inputMode: 'numeric' }, inputLabel: { shrink: true } }}
    />
  );
}
