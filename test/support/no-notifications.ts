/** For activities of tests in which nobody is told anything. */
export const NO_NOTIFICATIONS = { channels: [], wakeNotifications: async () => undefined };
