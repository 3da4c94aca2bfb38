/** For activities of tests in which nobody is told anything, and Temporal is well. */
export const NO_NOTIFICATIONS = {
  channels: [],
  wakeNotifications: async () => undefined,
  temporalHealth: {
    answers: async () => undefined,
    workers: async () => 1,
    pausedSchedules: async () => new Map<string, string>(),
  },
};
