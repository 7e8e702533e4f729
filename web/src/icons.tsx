import type { ReactNode } from "react";

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const EyeMark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <path
      className="lid"
      d="M2 16C6 9 11 5.500 16 5.500S26 9 30 16c-4 7-9 10.500-14 10.500S6 23 2 16Z"
    />
    <circle className="iris" cx="16" cy="16" r="7.500" />
    <circle className="pupil" cx="16" cy="16" r="3.300" />
    <circle className="spark" cx="18.400" cy="13.600" r="1.500" />
  </svg>
);

export const PhotoIcon = () => (
  <Icon>
    <rect x="3" y="4.500" width="18" height="15" rx="3" />
    <circle cx="8.500" cy="10" r="1.600" />
    <path d="m4 17 4.600-4.200a1.500 1.500 0 0 1 2 0L14 16m-1.500-1.400 2.700-2.500a1.500 1.500 0 0 1 2 0L21 15.500" />
  </Icon>
);

export const CameraIcon = () => (
  <Icon>
    <path d="M4 8.500A1.500 1.500 0 0 1 5.500 7H8l1.300-2h5.400L16 7h2.500A1.500 1.500 0 0 1 20 8.500v9a1.500 1.500 0 0 1-1.500 1.500h-13A1.500 1.500 0 0 1 4 17.500Z" />
    <circle cx="12" cy="13" r="3.400" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M12 5.500v13M5.500 12h13" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m7 7 10 10M17 7 7 17" />
  </Icon>
);

export const PlayIcon = () => (
  <svg className="icon" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
    <path d="M8.500 6.200v11.600a.9.9 0 0 0 1.400.76l8.700-5.800a.9.9 0 0 0 0-1.500L9.900 5.440a.9.9 0 0 0-1.400.76Z" />
  </svg>
);

export const PauseIcon = () => (
  <svg className="icon" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
    <rect x="7" y="6" width="3.600" height="12" rx="1.200" />
    <rect x="13.400" y="6" width="3.600" height="12" rx="1.200" />
  </svg>
);

export const SunIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="3.600" />
    <path d="M12 4v1.500M12 18.500V20M4 12h1.500M18.500 12H20M6.400 6.400l1 1M16.600 16.600l1 1M17.600 6.400l-1 1M7.400 16.600l-1 1" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="8.500" y="8.500" width="11" height="11" rx="2.200" />
    <path d="M15.500 8.500V6.700a2.200 2.200 0 0 0-2.200-2.200H6.700a2.200 2.200 0 0 0-2.200 2.200v6.600a2.200 2.200 0 0 0 2.200 2.200h1.800" />
  </Icon>
);

export const CodeIcon = () => (
  <Icon>
    <path d="m8.500 8-4 4 4 4M15.500 8l4 4-4 4M13.200 6l-2.400 12" />
  </Icon>
);

export const DownloadIcon = () => (
  <Icon>
    <path d="M12 4.500V15m-4-3.600 4 4 4-4M5 19.500h14" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m5.500 12.500 4.200 4.200L18.500 8" />
  </Icon>
);
