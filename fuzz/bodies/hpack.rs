//! Field blocks: of each the first byte is its length. Beside not panicking: a block in two pieces is the same as in one, what is said with blocks
//! missing is what is said without (or nothing), the table keeps to its bound, and httlib-hpack reads the same.

use wschat_sniff::layer::http2::hpack::{Decoder, Field};

/// The largest table that is kept.
const TABLE: u32 = 1 << 12;

type Fields = Vec<(Option<Vec<u8>>, Option<Vec<u8>>)>;

/// One input.
pub(crate) fn run(data: &[u8]) {
    let (mut whole, mut pieces, mut late) = (Decoder::new(TABLE), Decoder::new(TABLE), Decoder::new(TABLE));
    let mut theirs = httlib_hpack::Decoder::with_dynamic_size(TABLE);
    late.forget();
    let mut rest = data;
    while let Some((&length, behind)) = rest.split_first() {
        let (block, next) = behind.split_at(usize::from(length).min(behind.len()));
        rest = next;
        let mut fields = Fields::new();
        let used = whole.read(block, |field| fields.push(owned(field)));
        whole.end_block();
        assert!(whole.cost() < 8 * TABLE as usize);

        let (first, _) = block.split_at(block.len() / 2);
        let mut in_pieces = Fields::new();
        let in_two = pieces
            .read(first, |field| in_pieces.push(owned(field)))
            .and_then(|before| {
                let used = pieces.read(&block[before..], |field| in_pieces.push(owned(field)))?;
                Ok(before + used)
            });
        pieces.end_block();
        assert_eq!((used, &fields), (in_two, &in_pieces));

        let mut known = Fields::new();
        let late_used = late.read(block, |field| known.push(owned(field)));
        late.end_block();
        if used != Ok(block.len()) {
            return;
        }
        assert_eq!(late_used, used);
        assert_eq!(known.len(), fields.len());
        for (late, full) in known.iter().zip(&fields) {
            assert!(late.0.is_none() || late.0 == full.0 || !whole.is_known());
            assert!(late.1.is_none() || late.1 == full.1 || !whole.is_known());
        }
        if whole.is_known() {
            let (mut block, mut their_fields) = (block.to_vec(), Vec::new());
            if theirs.decode(&mut block, &mut their_fields).is_err() {
                return;
            }
            let their_fields = their_fields
                .into_iter()
                .map(|(name, value, _)| (Some(name), Some(value)));
            assert_eq!(fields, their_fields.collect::<Fields>());
        }
    }
}

fn owned(field: Field<'_>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    (field.name.map(<[u8]>::to_vec), field.value.map(<[u8]>::to_vec))
}
