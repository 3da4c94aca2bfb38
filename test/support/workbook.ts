import { crc32, deflateRawSync } from 'node:zlib';

type Cell =
  | string
  | number
  | boolean
  | { readonly serialDay: number }
  /** A part of a day, shown as a time. */
  | { readonly serialTime: number }
  /** What Excel computed last is kept beside the formula. */
  | { readonly formula: string; readonly value: string | number }
  | null;
type Rows = readonly (readonly Cell[])[];

const DAY_STYLE = 1;
const TIME_STYLE = 2;

/** A minimal Excel workbook of one sheet. `serialDay` is a day as Excel counts them, shown as a date. */
export const workbook = (rows: Rows): Buffer => workbookOf({ Sheet1: rows });

/** A workbook of these sheets, with other files packed into it. */
export function workbookOf(
  sheets: Readonly<Record<string, Rows>>,
  others: Readonly<Record<string, Buffer>> = {},
): Buffer {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const packages = 'http://schemas.openxmlformats.org/package/2006';
  const type = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
  const all = Object.entries(sheets).map(([name, rows], index) => ({ name, rows, number: index + 1 }));
  const each = (text: (sheet: (typeof all)[number]) => string): string => all.map(text).join('');
  return zip(
    {
      '[Content_Types].xml':
        `<Types xmlns="${packages}/content-types"><Default Extension="rels" ` +
        `ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
        `<Override PartName="/xl/workbook.xml" ContentType="${type}.sheet.main+xml"/>` +
        each(
          ({ number }) =>
            `<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="${type}.worksheet+xml"/>`,
        ) +
        `<Override PartName="/xl/styles.xml" ContentType="${type}.styles+xml"/></Types>`,
      '_rels/.rels':
        `<Relationships xmlns="${packages}/relationships"><Relationship Id="rId1" Type="${office}/officeDocument" ` +
        `Target="xl/workbook.xml"/></Relationships>`,
      'xl/workbook.xml':
        `<workbook xmlns="${main}" xmlns:r="${office}"><sheets>` +
        each(({ name, number }) => `<sheet name="${name}" sheetId="${number}" r:id="rId${number}"/>`) +
        `</sheets></workbook>`,
      'xl/_rels/workbook.xml.rels':
        `<Relationships xmlns="${packages}/relationships">` +
        each(
          ({ number }) =>
            `<Relationship Id="rId${number}" Type="${office}/worksheet" Target="worksheets/sheet${number}.xml"/>`,
        ) +
        `<Relationship Id="rId99" Type="${office}/styles" Target="styles.xml"/></Relationships>`,
      'xl/styles.xml':
        `<styleSheet xmlns="${main}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>` +
        `<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>` +
        `<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>` +
        `<xf numFmtId="18" applyNumberFormat="1"/></cellXfs></styleSheet>`,
      ...Object.fromEntries(
        all.map(({ rows, number }) => [
          `xl/worksheets/sheet${number}.xml`,
          `<worksheet xmlns="${main}"><sheetData>${rowsXml(rows)}</sheetData></worksheet>`,
        ]),
      ),
    },
    others,
  );
}

const rowsXml = (rows: Rows): string =>
  rows
    .map(
      (cells, row) => `<row r="${row + 1}">${cells.map((cell, at) => cellXml(cell, at, row)).join('')}</row>`,
    )
    .join('');

function cellXml(cell: Cell, at: number, row: number): string {
  const name = `${String.fromCharCode(65 + at)}${row + 1}`;
  if (cell === null) return '';
  if (typeof cell === 'number') return `<c r="${name}"><v>${cell}</v></c>`;
  if (typeof cell === 'boolean') return `<c r="${name}" t="b"><v>${Number(cell)}</v></c>`;
  if (typeof cell === 'string') return `<c r="${name}" t="inlineStr"><is><t>${cell}</t></is></c>`;
  if ('serialDay' in cell) return `<c r="${name}" s="${DAY_STYLE}"><v>${cell.serialDay}</v></c>`;
  if ('serialTime' in cell) return `<c r="${name}" s="${TIME_STYLE}"><v>${cell.serialTime}</v></c>`;
  const type = typeof cell.value === 'string' ? ' t="str"' : '';
  return `<c r="${name}"${type}><f>${cell.formula}</f><v>${cell.value}</v></c>`;
}

const STORED = 0;
const DEFLATED = 8;

/** A ZIP archive: these files as they are, and those compressed. */
export function zip(
  files: Readonly<Record<string, string>>,
  compressed: Readonly<Record<string, Buffer>> = {},
): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  const all = [
    ...Object.entries(files).map(([name, text]) => ({ name, data: Buffer.from(text), method: STORED })),
    ...Object.entries(compressed).map(([name, data]) => ({ name, data, method: DEFLATED })),
  ];
  for (const { name, data, method } of all) {
    const packed = method === DEFLATED ? deflateRawSync(data) : data;
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, nameBytes, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\u0000'), common, rest, nameBytes]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from('PK\u0005\u0006'), end]);
}
