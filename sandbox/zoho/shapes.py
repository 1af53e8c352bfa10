"""The fields that an answer of Zoho carries beside those that mean something here: always there, always blank.

The renderers lay what they know over these shapes, so that an answer has every field that a reader may meet.
"""

from typing import Any


def blank(
    *, text: str = "", zero: str = "", no: str = "", yes: str = "", lists: str = "", dicts: str = ""
) -> dict[str, Any]:
    """Make a shape from names separated by blanks, grouped by their blank value."""
    values: list[tuple[str, Any]] = [(text, ""), (zero, 0), (no, False), (yes, True), (lists, []), (dicts, {})]
    return {name: value for names, value in values for name in names.split()}


INVOICE = blank(
    text=(
        "channel_invoice_id account_identifier offline_created_date_with_time recurring_invoice_id "
        "early_payment_discount_due_days zcrm_potential_id zcrm_potential_name discount_account_id "
        "discount_account_name adjustment_account_id adjustment_account_name shipping_charge_tax_exemption_id "
        "shipping_charge_tax_exemption_code bcy_shipping_charge_tax shipping_charge_tax_formatted "
        "shipping_charge_account_id shipping_charge_account_name contact_category payment_expected_date "
        "attachment_name merchant_id merchant_name ecomm_operator_id ecomm_operator_name salesorder_id "
        "salesorder_number salesperson_id last_reminder_sent_date next_reminder_date_formatted "
        "client_viewed_time submitter_id approver_id submitted_date submitted_by submitted_by_name "
        "submitted_by_email submitted_by_photo_url subject_content is_backorder color_code "
        "current_sub_status_id estimate_id schedule_time"
    ),
    zero=(
        "unprocessed_payment_amount early_payment_discount_percentage early_payment_discount_amount "
        "total_retention_amount write_off_amount roundoff_value payment_discount reminders_sent "
        "unused_retainer_payments tax_amount_withheld"
    ),
    no=(
        "is_last_child_invoice is_early_payment_discount_applicable is_progress_invoice can_show_kit_return "
        "is_kit_partial_return is_autobill_enabled inprocess_transaction_present allow_partial_payments "
        "stop_reminder_until_payment_expected_date ach_supported ach_payment_initiated "
        "reader_offline_payment_initiated is_viewed_by_client can_send_in_mail "
        "is_client_review_settings_enabled includes_package_tracking_info"
    ),
    yes="payment_reminder_enabled can_send_invoice_sms",
    lists=(
        "customer_custom_fields invoice_installments locked_actions retention_items exceptions "
        "contact_persons_associated documents in_process_payments deliverychallans salesorders shipping_bills "
        "contact_persons_details sub_statuses approvers_list tags exchange_invoices"
    ),
    dicts="customer_custom_field_hash",
)
"""An invoice as a create, read or update answers it."""

INVOICE_LINE = blank(
    text=(
        "internal_name discount_account_id discount_account_name header_id header_name pricebook_id bill_id "
        "bill_item_id stock_on_hand available_stock committed_stock available_for_sale_stock project_id "
        "expense_id expense_receipt_name purchase_rate salesorder_item_id"
    ),
    zero="cost_amount markup_percent",
    no="is_modifier_item",
    lists="discounts item_custom_fields tags documents time_entry_ids mapped_items",
    dicts="item_code",
)
"""A line of an invoice."""

INVOICE_ROW = blank(
    text=(
        "zcrm_potential_id zcrm_potential_name project_name payment_expected_date client_viewed_time "
        "color_code current_sub_status_id schedule_time last_reminder_sent_date documents salesperson_id"
    ),
    zero="reminders_sent write_off_amount unprocessed_payment_amount",
    no="ach_payment_initiated is_viewed_by_client has_attachment",
    lists="tags",
)
"""An invoice in a list: no lines, no tax."""

CONTACT = blank(
    text=(
        "contact_tax_information language_code_formatted photo_url invited_by contact_relation_type owner_id "
        "owner_name zcrm_account_id zcrm_contact_id crm_owner_id exchange_rate opening_balance_amount_bcy "
        "consent_date tax_id_type tax_id_value tax_reg_label account_id account_name contact_category "
        "pricebook_id pricebook_name zohopeople_client_id submitted_date submitted_by submitted_by_name "
        "submitted_by_email submitted_by_photo_url submitter_id approver_id"
    ),
    zero=(
        "credit_limit_exceeded_amount opening_balance_amount outstanding_ob_receivable_amount "
        "outstanding_ob_payable_amount outstanding_payable_amount outstanding_payable_amount_bcy "
        "unused_credits_payable_amount unused_credits_payable_amount_bcy unused_retainer_payments "
        "portal_receipt_count"
    ),
    no=(
        "is_client_review_asked is_crm_customer is_linked_with_zohocrm is_consent_agreed "
        "is_client_review_settings_enabled track_1099 ach_supported associated_with_square"
    ),
    yes=(
        "is_credit_limit_migration_completed can_show_customer_ob can_show_vendor_ob payment_reminder_enabled "
        "is_sms_enabled"
    ),
    lists=(
        "documents locked_actions opening_balances cards checks upi_mandates bank_accounts vpa_list tags "
        "approvers_list integration_references"
    ),
)
"""A contact as a create, read or update answers it."""

CONTACT_ROW = blank(
    text="language_code_formatted",
    zero=(
        "outstanding_payable_amount outstanding_payable_amount_bcy unused_credits_payable_amount "
        "unused_credits_payable_amount_bcy"
    ),
    no="is_linked_with_zohocrm track_1099 ach_supported has_attachment",
    lists="contactperson_custom_fields tags",
)
"""A contact in a list: no addresses, no persons."""

DEFAULT_TEMPLATES = blank(
    text=(
        "statement_template_id statement_template_name invoice_template_id invoice_template_name "
        "bill_template_id bill_template_name estimate_template_id estimate_template_name "
        "creditnote_template_id creditnote_template_name paymentthankyou_template_id "
        "paymentthankyou_template_name invoice_email_template_id invoice_email_template_name "
        "estimate_email_template_id estimate_email_template_name creditnote_email_template_id "
        "creditnote_email_template_name paymentthankyou_email_template_id paymentthankyou_email_template_name "
        "payment_remittance_email_template_id payment_remittance_email_template_name"
    ),
)
"""The templates of a contact, none of them chosen."""

CREDIT_NOTE = blank(
    text=(
        "subject_content offline_created_date_with_time sales_channel client_viewed_time salesperson_id "
        "salesperson_name contact_category color_code current_sub_status_id discount_account_id "
        "discount_account_name adjustment_account_id adjustment_account_name submitter_id approver_id "
        "submitted_date submitted_by submitted_by_name submitted_by_email submitted_by_photo_url "
        "shipping_charge_tax_exemption_id shipping_charge_tax_exemption_code bcy_shipping_charge_tax "
        "shipping_charge_tax_formatted shipping_charge_account_id shipping_charge_account_name"
    ),
    zero="roundoff_value",
    no="is_viewed_by_client",
    lists=(
        "contact_persons contact_persons_associated exceptions sub_statuses documents locked_actions "
        "approvers_list tags"
    ),
)
"""A credit note."""

CREDIT_NOTE_LINE = blank(
    text="internal_name project_id pricebook_id discount_account_id discount_account_name",
    no="can_skip_stock_tracking is_credit_only_item is_modifier_item",
    lists="item_custom_fields discounts tags mapped_items",
    dicts="item_code",
)
"""A line of a credit note."""

CREDIT_NOTE_ROW = blank(
    text="applied_invoices salesperson_name salesperson_id client_viewed_time color_code current_sub_status_id",
    no="has_attachment is_viewed_by_client",
    lists="tags",
)
"""A credit note in a list."""

PAYMENT = blank(
    text=(
        "sales_channel account_identifier payment_link_id payment_number_prefix beat_id beat_number "
        "journey_plan_id sales_person_id sales_person_name card_type offline_created_date_with_time "
        "bank_charges_account_id bank_charges_account_name tax_account_id tax_account_name "
        "online_transaction_id payment_gateway settlement_status tender_id last_four_digits attachment_name"
    ),
    zero="tax_amount_withheld discount_amount",
    no="is_client_review_settings_enabled is_early_payment_discount_applicable is_ondc_channel",
    yes="can_send_in_mail can_send_payment_sms is_payment_details_required",
    lists="locked_actions documents deposit_details imported_transactions tags",
)
"""A payment of a customer."""

PAYMENT_INVOICE = blank(
    text="invoice_customer_id invoice_customer_name allow_partial_payments",
    zero="tax_amount_withheld discount_amount",
    no="is_early_payment_discount_applicable",
    lists="invoice_installments installments",
)
"""A payment's share on one invoice."""

PAYMENT_ROW = blank(
    text=(
        "last_four_digits gateway_transaction_id payment_gateway documents custom_fields_list tax_account_id "
        "tax_account_name settlement_status sales_channel"
    ),
    zero="bcy_refunded_amount tax_amount_withheld",
    no="has_attachment",
    lists="tags",
)
"""A payment in a list."""

ITEM = blank(
    text=(
        "brand manufacturer product_subtype purpose_of_use image_name image_type zcrm_product_id crm_owner_id "
        "tax_status tax_start_date tax_end_date tax_groups_details tax_country_code tax_information "
        "is_tax_expired purchase_tax_information associated_template_id purchase_description sales_margin "
        "purchase_account_id purchase_account_name offline_created_date_with_time minimum_order_quantity "
        "maximum_order_quantity attribute_name1 attribute_name2 attribute_name3 attribute_option_name1 "
        "attribute_option_name2 attribute_option_name3 default_hosted_page_url"
    ),
    zero="purchase_rate",
    no=(
        "is_linked_with_zohocrm is_default_tax_applied can_be_purchased track_inventory is_fulfillable "
        "is_modifier_item has_variant"
    ),
    yes="can_be_sold",
    lists="documents price_brackets tags locked_actions sales_channels integration_references",
    dicts="item_code locked_fields",
)
"""An item."""

ITEM_ROW = blank(
    text=(
        "zcrm_product_id purchase_account_id purchase_account_name purchase_description image_name image_type "
        "image_document_id product_subtype purpose_of_use vendor_name"
    ),
    zero="purchase_rate",
    no="is_linked_with_zohocrm can_be_purchased track_inventory has_attachment",
    yes="can_be_sold",
    lists="tags",
)
"""An item in a list."""
