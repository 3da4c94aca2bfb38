/** What a geocoder says about one address. Only an OK answer has coordinates (degrees, WGS 84). */
export interface GeocodeAnswer {
  readonly status: 'OK' | 'ZERO_RESULTS' | 'INVALID_REQUEST';
  readonly latitude: number | null;
  readonly longitude: number | null;
  /** Google's id of the place; null from geocoders that have none. */
  readonly placeId: string | null;
  /** True when the point stands for an area (a ZIP code, a city), not for the address itself. */
  readonly approximate: boolean;
}

/** Looks addresses up one by one. Asking has no effect, so it is safe to repeat. */
export interface Geocoder {
  readonly name: 'google' | 'offline';
  /**
   * @throws SyncFailure whose code says what to do: one that FAILURES retries concerns this request only,
   * one that it never retries means that no further address can be asked in this run. The signal's reason
   * is thrown when the signal aborts.
   */
  geocode(address: string, signal: AbortSignal): Promise<GeocodeAnswer>;
}

/** The answer for an address without coordinates. */
export const withoutLocation = (status: 'ZERO_RESULTS' | 'INVALID_REQUEST'): GeocodeAnswer => ({
  status,
  latitude: null,
  longitude: null,
  placeId: null,
  approximate: false,
});
